#include "proxy/admin/purge_api.h"

#include <array>
#include <string>

#include "base/log.h"
#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

using Kind = flow::PurgeOrder::Kind;
using Order = std::expected<flow::PurgeOrder, JsonFault>;

struct What {
  std::string_view field;
  Kind kind;
};
constexpr std::array kWhat = {What{"url", Kind::Url}, What{"prefix", Kind::Prefix},
                              What{"match", Kind::Match}, What{"all", Kind::All}};
constexpr std::array<std::string_view, 5> kFields = {"url", "prefix", "match", "all", "soft"};
constexpr std::string_view kOneOf = "needs one of url, prefix, match, all";

std::unexpected<JsonFault> fault(std::string_view field, std::string_view message) {
  return std::unexpected(JsonFault{std::string(field), std::string(message)});
}

Order read_order(std::string_view body) {
  const auto json = read_object(body, kFields);
  if (!json) return std::unexpected(json.error());
  flow::PurgeOrder order;
  const What* named = nullptr;
  for (const What& what : kWhat) {
    if (!json->contains(what.field)) continue;
    if (named) return fault(what.field, std::string("stands beside ") + std::string(named->field));
    named = &what;
  }
  if (!named) return fault("", kOneOf);
  const Json& value = (*json)[named->field];
  order.kind = named->kind;
  if (named->kind == Kind::All) {
    if (value != true) return fault("all", "is true, or left out");
  } else {
    if (!value.is_string()) return fault(named->field, "is a text");
    order.text = value.get<std::string>();
  }
  if (json->contains("soft")) {
    const Json& soft = (*json)["soft"];
    if (!soft.is_boolean()) return fault("soft", "is true or false");
    order.soft = soft.get<bool>();
  }
  return order;
}

std::string_view name_of(Kind kind) {
  for (const What& what : kWhat) {
    if (what.kind == kind) return what.field;
  }
  return "";
}

}  // namespace

void reply_when_kept(const Subjects& subjects, bool marked, std::function<void(Reply)> tell) {
  const std::int64_t began_ms = subjects.clock.now_ms();
  subjects.purges.when_kept([&clock = subjects.clock, began_ms, marked,
                             tell = std::move(tell)](const Result<void>& kept) {
    if (!kept) {
      return tell(error_reply(500, "",
                              "it is purged, but could not be written down: it may come back after "
                              "a restart (" +
                                  kept.error().message + ")"));
    }
    Json out;
    out["purged"] = marked ? Json() : Json(0);  // what a mark kills is not counted
    out["instances"] = {{"live", 1}, {"acked", 1}};
    out["took_ms"] = clock.now_ms() - began_ms;
    tell({.body = text_of(out)});
  });
}

std::optional<Reply> PurgeApi::run(const Request& request, Asker asker) const {
  const Order order = read_order(request.body);
  if (!order) return error_reply(400, order.error().field, order.error().message);
  const Result<bool> marked = flow::purge(*subjects_.site, *order, subjects_.purges);
  if (!marked) return error_reply(400, name_of(order->kind), marked.error().message);
  log_info("purged by {}: {} {}{}", request.peer, name_of(order->kind), order->text,
           order->soft ? " (soft)" : "");
  reply_when_kept(subjects_, *marked, [asker = std::move(asker)](Reply reply) mutable {
    asker.answer(std::move(reply));
  });
  return std::nullopt;
}

}  // namespace weir::admin
