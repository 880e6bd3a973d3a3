// An answer that a store takes while it arrives, for it is too large to lie in memory as a whole.
#include <utility>

#include "proxy/flow/fill.h"

namespace weir::flow {

void Fill::take_inflow(std::unique_ptr<backends::Inflow> flow) {
  inflow_ = std::move(flow);
  inflow_->when_ready([this] { resume_if_wanted(); });
}

// A body of unknown length that turns out to be large: the store takes it as it arrives, from its
// beginning on.
bool Fill::flow_from_now_on() {
  auto flow = store().open_inflow(std::nullopt);
  if (!flow) return false;
  bool taken = true;
  flight_->for_each_piece([&](std::string_view bytes) { taken = taken && (*flow)->append(bytes); });
  if (!taken) return false;
  take_inflow(std::move(*flow));
  reservation_ = nullptr;
  flight_->flow_into(inflow_->body());
  return true;
}

// The store is slower than the app, or fails. No client waits for it; what it had of the key is
// older.
void Fill::give_up_flow() {
  storing_ = false;
  inflow_ = nullptr;
  leave_table();
  store().erase(store_key_.view());
  tables().store_failures.say(order_.route->backend->name(), loop().now_ms());
  flight_->stop_retaining();
}

// What is stored as it arrives waits for the medium as long as that keeps nobody waiting.
bool Fill::must_pause() {
  if (!storing_) return flight_->window_full();
  if (!inflow_ || !inflow_->is_behind()) return false;
  return flight_->reader_count() == 0 || flight_->window_full();
}

void Fill::resume_if_wanted() {
  if (!paused_ || must_pause()) return;
  paused_ = false;
  fetch_->resume();
}

}  // namespace weir::flow
