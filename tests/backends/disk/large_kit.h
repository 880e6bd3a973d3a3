// Large objects on a disk by hand: they arrive in pieces, and are read from where they lie.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {

class LargeKit : public DiskKit {
 public:
  static constexpr std::uint64_t kLarge = std::uint64_t{3} * 1024 * 1024;

  // A store under way. Its end is heard when its loop turns.
  struct Arriving {
    std::unique_ptr<Inflow> inflow;
    std::unique_ptr<RecordingStoreWaiter> waiter = std::make_unique<RecordingStoreWaiter>();
    Storing storing = {};
  };
  static Arriving commit(Attached& at, std::string_view key, char letter) {
    return commit(at, key, std::string(kLarge, letter));
  }
  static Arriving commit(Attached& at, std::string_view key, std::string_view body) {
    Arriving out{.inflow = at.store().open_inflow(body.size()).value()};
    EXPECT_TRUE(out.inflow->append(body));
    EntryParts head;
    head.key = std::string(key);
    head.hash = hash128(key);
    head.fields.add("Content-Length", std::to_string(body.size()));
    out.storing = out.inflow->commit(std::move(head), *out.waiter);
    return out;
  }
  static StoreResult ended(Attached& at, Arriving& arriving) {
    while (arriving.waiter->answers == 0) turn(at.loop());
    return *arriving.waiter->result;
  }

  // Of a body that has changed nothing but "!".
  std::string whole(const Ref<const FarBody>& body) {
    std::string out;
    bool came = false;
    FarReader reader(at().loop(), [&came] { came = true; });
    while (out.size() < body->size()) {
      const FarReader::Got got = reader.get(body, out.size());
      if (got.status == FarReader::Status::Data) out += got.bytes;
      if (got.status == FarReader::Status::Failed) return "!";
      if (got.status != FarReader::Status::Pending) continue;
      while (!came) turn(at().loop());
      came = false;
    }
    return out;
  }
  // Nothing but "-" where there is none.
  std::string text_at(std::string_view key) {
    const EntryRef entry = at().find(key);
    if (!entry) return "-";
    const Ref<const FarBody> body(entry->far_body());
    return body ? whole(body) : text_of(*entry);
  }
  char letter_at(std::string_view key) { return text_at(key).front(); }
};

}  // namespace weir::backends::testing
