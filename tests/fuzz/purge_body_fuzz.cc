// Any bytes as the body of a purge: it is an order, or a fault that can be answered; and what is
// said of it is JSON again, whatever the bytes were.
#include <string>

#include "proxy/admin/purge_body.h"
#include "proxy/admin/reply.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto order = admin::read_purge(body);
  if (order) {
    WEIR_CHECK(order->kind == flow::PurgeOrder::Kind::All || body.contains('"'));
    return 0;
  }
  WEIR_CHECK(!order.error().message.empty());
  const admin::Reply reply = admin::error_reply(400, order.error().field, order.error().message);
  const auto said = admin::Json::parse(reply.body, nullptr, false);
  WEIR_CHECK(said.is_object() && said["error"]["message"].is_string());
  return 0;
}
