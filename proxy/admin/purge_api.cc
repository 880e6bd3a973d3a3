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

std::string_view word_of(Done done) {
  return done == Done::Purged ? "purged" : "cleared";
}

// `unwritten`: why it is not written down on a disk; empty: it is, or need not be.
Reply reply_of(const Marked& marked, const std::string& unwritten,
               const flow::Fleets::Applied& applied, std::int64_t took_ms) {
  const std::string_view done = word_of(marked.done);
  if (!applied.logged) {
    return error_reply(
        503, "",
        fmt::format("it is {} here; the other instances will hear of it when the Redis server is "
                    "within reach again, if this one is still running then{}{}",
                    done,
                    unwritten.empty() ? "" : ". Nor could it be written down here: ", unwritten));
  }
  Json out;
  out[done] = marked.any ? Json() : Json(0);  // what a mark kills is not counted
  out["instances"] = {{"live", applied.live}, {"acked", applied.acked}};
  out["took_ms"] = took_ms;
  Reply reply{.body = text_of(out)};
  // The log may be gone, or out of reach, when the next process uses that disk.
  const bool is_certain = applied.confirmed && applied.all_known && unwritten.empty();
  if (applied.acked < applied.live || !is_certain) reply.status = 202;
  return reply;
}

// Of an instance by itself.
Reply not_kept(Done done, const std::string& why) {
  return error_reply(
      500, "",
      fmt::format("it is {}, but could not be written down: it may come back after a restart ({})",
                  word_of(done), why));
}

}  // namespace

// What a fleet's log has is read there by every start, as long as the log is there.
void reply_when_kept(flow::WorkerContext& worker, const Marked& marked,
                     std::function<void(Reply)> tell) {
  const Clock& clock = worker.loop.clock();
  flow::Fleets& fleets = worker.tables.fleets;
  const auto disk = worker.tables.unwritten.get();
  const bool concerns_disk = marked.backend.empty() || marked.backend == disk.backend;
  worker.tables.purges.when_kept([&clock, &fleets, began_ms = clock.now_ms(), marked,
                                  missing = concerns_disk ? disk.why : std::string(),
                                  tell = std::move(tell)](const Result<void>& kept) {
    std::string unwritten = kept ? missing : kept.error().message;
    if (fleets.empty() && !unwritten.empty()) return tell(not_kept(marked.done, unwritten));
    auto finish = [&clock, began_ms, marked, unwritten = std::move(unwritten),
                   tell](const flow::Fleets::Applied& applied) {
      tell(reply_of(marked, unwritten, applied, clock.now_ms() - began_ms));
    };
    if (fleets.empty()) return finish({.logged = true});
    fleets.when_applied(std::move(finish));
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
  reply_when_kept(worker, {.any = *marked}, [asker = std::move(asker)](Reply reply) mutable {
    asker.answer(std::move(reply));
  });
  return std::nullopt;
}

}  // namespace weir::admin
