// Some commands about one name, and one who hears what became of them. On the store's loop.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/redis/redis_store.h"
#include "base/life.h"

namespace weir::backends::redis {

class RedisStore::Asking final : public PendingAnswer {
 public:
  // Null: there are none, or none that may be used. May drop the handle.
  using Heard = std::move_only_function<void(const std::vector<Reply>* replies)>;

  static std::unique_ptr<PendingAnswer> begin(RedisStore& store, std::string_view name,
                                              Commands commands, Heard heard) {
    auto asking = std::make_unique<Asking>(std::move(heard));
    Link::Started call = store.servers().call(
        Servers::Load::Small, name, std::move(commands),
        [&store, asked = asking.get()](const Link::Replies& replies, auto run) {
          asked->tell(replies && store.may_read(run) ? &*replies : nullptr);
        });
    if (call) {
      asking->call_ = std::move(*call);
    } else {
      store.loop().post([weak = asking->life_.watch()] {
        if (Asking* const asked = weak.get()) asked->tell(nullptr);
      });
    }
    return asking;
  }
  explicit Asking(Heard heard) : heard_(std::move(heard)) {}

 private:
  // Nothing comes after.
  void tell(const std::vector<Reply>* replies) {
    Heard heard = std::move(heard_);
    heard(replies);
  }

  Heard heard_;
  std::unique_ptr<PendingAnswer> call_;
  Life<Asking> life_{*this};
};

}  // namespace weir::backends::redis
