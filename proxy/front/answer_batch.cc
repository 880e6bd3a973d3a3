#include "proxy/front/answer_batch.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace weir::front {

bool AnswerBatch::add(Sender& sender, std::string_view request) {
  const char* const begin = buffer_.data();
  const char* const end = request.data() + request.size();
  const bool is_here = !std::less<>{}(request.data(), begin) &&
                       std::less<>{}(request.data(), begin + kBytes);  // else it is somebody's own
  const std::size_t used = is_here ? static_cast<std::size_t>(end - begin) : used_;
  if (kBytes - used < kLeastRoom) return false;
  used_ = std::max(used_, used);
  if (waiting_.empty()) {
    loop_.post([watch = life_.watch()] {
      if (AnswerBatch* batch = watch.get()) batch->send_all();
    });
  }
  waiting_.push_back({&sender, std::exchange(sender.last_, waiting_.size())});
  return true;
}

void AnswerBatch::remove(Sender& sender) {
  for (std::size_t i = std::exchange(sender.last_, Sender::kNowhere); i != Sender::kNowhere;
       i = waiting_[i].earlier) {
    waiting_[i].sender = nullptr;
  }
}

void AnswerBatch::send_all() {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    Sender* const sender = std::exchange(waiting_[i].sender, nullptr);
    if (!sender) continue;
    if (sender->last_ == i) sender->last_ = Sender::kNowhere;
    sender->send_batched();
  }
  waiting_.clear();
  used_ = 0;
}

}  // namespace weir::front
