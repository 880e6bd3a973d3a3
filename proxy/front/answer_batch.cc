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
  if (senders_.empty()) {
    loop_.post([watch = life_.watch()] {
      if (AnswerBatch* batch = watch.get()) batch->send_all();
    });
  }
  senders_.push_back(&sender);
  return true;
}

void AnswerBatch::remove(const Sender& sender) {
  std::ranges::replace(senders_, &sender, nullptr);
}

void AnswerBatch::send_all() {
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    if (Sender* const sender = std::exchange(senders_[i], nullptr)) sender->send_batched();
  }
  senders_.clear();
  used_ = 0;
}

}  // namespace weir::front
