#include "tests/support/reply.h"

namespace weir::test {

Reply Reply::raw(std::string bytes) {
  Reply reply(0);
  reply.raw_head_ = std::move(bytes);
  return reply;
}

Reply& Reply::header(std::string name, std::string value) {
  fields_.add(std::move(name), std::move(value));
  return *this;
}

Reply& Reply::body(std::string bytes) {
  if (framing_ == Framing::None) length(bytes.size());
  return part(std::move(bytes));
}

Reply& Reply::length(std::uint64_t announced) {
  framing_ = Framing::Length;
  length_ = announced;
  return *this;
}

Reply& Reply::chunked() {
  framing_ = Framing::Chunked;
  return *this;
}

Reply& Reply::until_close() {
  framing_ = Framing::UntilClose;
  return *this;
}

Reply& Reply::gate_head(Gate gate) {
  head_gates_.push_back(std::move(gate));
  return *this;
}

Reply& Reply::gate(Gate gate) {
  steps_.emplace_back(Wait{std::move(gate)});
  return *this;
}

Reply& Reply::part(std::string bytes) {
  steps_.emplace_back(
      Send{std::make_shared<const std::string>(std::move(bytes)), framing_ == Framing::Chunked});
  return *this;
}

Reply& Reply::bytes(std::string bytes) {
  steps_.emplace_back(Send{std::make_shared<const std::string>(std::move(bytes)), false});
  return *this;
}

Reply& Reply::echo() {
  steps_.emplace_back(Echo{});
  return *this;
}

Reply& Reply::close() {
  steps_.emplace_back(End::Close);
  return *this;
}

Reply& Reply::reset() {
  steps_.emplace_back(End::Reset);
  return *this;
}

Reply& Reply::hang() {
  steps_.emplace_back(End::Hang);
  return *this;
}

Reply& Reply::drip() {
  steps_.emplace_back(End::Drip);
  return *this;
}

std::string Reply::head() const {
  if (is_raw()) return raw_head_;
  std::string head = "HTTP/1.1 " + std::to_string(status_) + " Scripted\r\n";
  for (const Field& field : fields_) head += field.name + ": " + field.value + "\r\n";
  const bool bodiless = status_ == 204 || status_ == 304;
  if (framing_ == Framing::Chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (framing_ == Framing::UntilClose) {
    head += "Connection: close\r\n";
  } else if (!bodiless) {
    head += "Content-Length: " + std::to_string(length_) + "\r\n";
  }
  return head + "\r\n";
}

}  // namespace weir::test
