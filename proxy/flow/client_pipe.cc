#include "proxy/flow/client_pipe.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace weir::flow {

upstream::RequestBody::Read ClientPipe::read(char* buffer, std::size_t capacity) {
  if (!exchange_) return {Status::Failed};
  const front::BodyRead got = exchange_->read_body({buffer, capacity});
  switch (got.status) {
    case front::BodyRead::Status::Data:
      return {Status::Data, got.bytes};
    case front::BodyRead::Status::Pending:
      return {Status::Pending};
    case front::BodyRead::Status::End:
      return {Status::End};
    case front::BodyRead::Status::Failed:
      break;
  }
  return {Status::Failed};
}

void ClientPipe::informational(const http::ResponseHead& head) {
  if (exchange_) exchange_->send_informational(head);
}

void ClientPipe::client_gone() {
  exchange_ = nullptr;
  if (fetch_ && has_body_) fetch_->body_ready();  // it will read Failed
}

void ClientPipe::fetch_ended() {
  fetch_ = nullptr;
  tunnel_ = nullptr;
  if (exchange_ && has_body_) exchange_->drop_body();
}

void ClientPipe::client_has_bytes() {
  if (tunnel_) return pump();
  if (fetch_) fetch_->body_ready();
}

void ClientPipe::open_tunnel() {
  if (!fetch_) return;
  tunnel_ = fetch_->tunnel();
  WEIR_CHECK(tunnel_ != nullptr);
  tunnel_->set_writable([pipe = Ref<ClientPipe>(this)] { pipe->pump(); });
  pump();
}

void ClientPipe::pump() {
  std::array<char, 16 * 1024> buffer;
  while (exchange_ && tunnel_) {
    if (!pending_.empty()) {
      const std::size_t taken = tunnel_->send(pending_);
      pending_.erase(0, taken);
      if (!pending_.empty()) return;  // told when the app takes more
    }
    const front::BodyRead got = exchange_->read_body(buffer);
    if (got.status == front::BodyRead::Status::Pending) return;
    if (got.status != front::BodyRead::Status::Data) {
      if (!std::exchange(shut_, true)) tunnel_->shutdown();
      return;
    }
    const std::size_t taken = tunnel_->send({buffer.data(), got.bytes});
    pending_.assign(buffer.data() + taken, got.bytes - taken);
  }
}

}  // namespace weir::flow
