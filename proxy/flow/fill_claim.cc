// `coalesce: fleet`: of the instances that share a store one asks the app, and the others look
// there until it has stored the answer, for as long as limits.coalesce_wait.
#include <utility>

#include "base/check.h"
#include "proxy/flow/fill.h"

namespace weir::flow {
namespace {

// Between two looks at what another instance may have stored.
constexpr std::int64_t kTurn_ms = 20;

}  // namespace

// With a claim nobody else is asking, and what was stored before it was given has been looked for.
Fill::Step Fill::not_found() {
  const bool is_for_all = order_.joinable && order_.runner == Runner::First && !order_.only_stored;
  if (claim_ || is_alone_ || !is_for_all || rule().coalesce != conf::Coalesce::Fleet) {
    return Step::Ask;
  }
  return Step::Claim;
}

Fill::Step Fill::claim() {
  const std::int64_t most_ms = config().limits.coalesce_wait_ms;
  if (turn_by_ms_ == 0) turn_by_ms_ = loop().now_ms() + most_ms;
  if (loop().now_ms() >= turn_by_ms_) {
    is_alone_ = true;
    return Step::Ask;
  }
  pending_ = store().claim(order_.table_key.view(), most_ms, *this);
  return pending_ ? Step::AwaitClaim : Step::Ask;
}

void Fill::on_claimed(backends::Claimed claimed) {
  WEIR_CHECK(step_ == Step::AwaitClaim);
  pending_ = nullptr;
  run(this->claimed(std::move(claimed)));
}

Fill::Step Fill::claimed(backends::Claimed claimed) {
  using Status = backends::Claimed::Status;
  switch (claimed.status) {
    case Status::Mine:
      // Who had it before may have stored the answer since this one looked.
      claim_ = std::move(claimed.claim);
      break;
    case Status::Others:
      if (!turn_timer_) {
        turn_timer_ = std::make_unique<Timer>(loop(), [this] {
          WEIR_CHECK(step_ == Step::AwaitTurn);
          run(look_again());
        });
      }
      turn_timer_->start(kTurn_ms);
      return Step::AwaitTurn;
    case Status::Refused:
    case Status::Unknown:
      is_alone_ = true;
      return Step::Ask;
  }
  return look_again();
}

Fill::Step Fill::look_again() {
  marker_ = nullptr;
  variant_key_ = {};
  order_.look_up = backends::Purpose::Probe;
  return Step::LookUp;
}

// What has come is not stored: nobody need wait for it.
void Fill::settle_claim(bool is_refused) {
  if (!claim_) return;
  if (is_refused) claim_->refuse();
  claim_ = nullptr;
}

}  // namespace weir::flow
