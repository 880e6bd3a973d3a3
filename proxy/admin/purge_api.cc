#include "proxy/admin/purge_api.h"

#include <fmt/ranges.h>

#include <string>

#include "base/log.h"
#include "proxy/admin/json.h"
#include "proxy/admin/purge_body.h"

namespace weir::admin {

namespace {

std::string joined(const std::vector<std::string>& tags) {
  return fmt::format("{}", fmt::join(tags, ", "));
}

}  // namespace

namespace {

std::string_view word_of(Done done) {
  return done == Done::Purged ? "purged" : "cleared";
}

Reply reply_of(Done done, bool marked, const flow::Fleets::Applied& applied, std::int64_t took_ms) {
  if (!applied.logged) {
    return error_reply(
        503, "",
        fmt::format("it is {} here; the other instances will hear of it when the Redis server is "
                    "within reach again, if this one is still running then",
                    word_of(done)));
  }
  Json out;
  out[word_of(done)] = marked ? Json() : Json(0);  // what a mark kills is not counted
  out["instances"] = {{"live", applied.live}, {"acked", applied.acked}};
  out["took_ms"] = took_ms;
  Reply reply{.body = text_of(out)};
  const bool is_certain = applied.confirmed && applied.all_known;
  if (applied.acked < applied.live || !is_certain) reply.status = 202;
  return reply;
}

}  // namespace

void reply_when_kept(flow::WorkerContext& worker, Done done, bool marked,
                     std::function<void(Reply)> tell) {
  const Clock& clock = worker.loop.clock();
  const std::int64_t began_ms = clock.now_ms();
  flow::Fleets& fleets = worker.tables.fleets;
  worker.tables.purges.when_kept([&clock, &fleets, began_ms, done, marked,
                                  tell = std::move(tell)](const Result<void>& kept) {
    if (!kept) {
      return tell(error_reply(
          500, "",
          fmt::format("it is {}, but could not be written down: it may come back after a restart "
                      "({})",
                      word_of(done), kept.error().message)));
    }
    const auto finish = [&clock, began_ms, done, marked,
                         tell](const flow::Fleets::Applied& applied) {
      tell(reply_of(done, marked, applied, clock.now_ms() - began_ms));
    };
    if (fleets.empty()) return finish({.logged = true});
    fleets.when_applied(finish);
  });
}

std::optional<Reply> purge(const Request& request, Asker asker, flow::WorkerContext& worker,
                           values::LeaseTable& leases) {
  const auto order = read_purge(request.body);
  if (!order) return error_reply(400, order.error().field, order.error().message);
  const Result<bool> marked = flow::purge(*worker.site->site, *order, worker.tables.purges);
  if (!marked) return error_reply(400, name_of(order->kind), marked.error().message);
  if (order->kind == flow::PurgeOrder::Kind::All) {
    leases.void_if([](std::string_view) { return true; });
  }
  const bool all = order->kind == flow::PurgeOrder::Kind::All;
  const std::string what = all ? "" : " " + quote(order->text + joined(order->tags));
  log_info("purged by {}: {}{}{}", request.peer, name_of(order->kind), what,
           order->soft ? " (soft)" : "");
  reply_when_kept(worker, Done::Purged, *marked, [asker = std::move(asker)](Reply reply) mutable {
    asker.answer(std::move(reply));
  });
  return std::nullopt;
}

}  // namespace weir::admin
