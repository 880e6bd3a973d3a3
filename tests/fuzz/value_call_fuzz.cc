// Any method, path and query as a request to the low-level cache: it is read, or there is a fault
// that can be answered; and a name that was read stands for itself again once it is escaped.
#include <string>

#include "proxy/values/value_call.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view method = input.substr(0, input.find(' '));
  const std::string_view target = input.substr(std::min(method.size() + 1, input.size()));
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = target.substr(std::min(path.size() + 1, target.size()));
  if (!values::is_value_path(path)) return 0;
  const auto call = values::read_value_call(http::parse_method(method), path, query);
  if (!call) {
    WEIR_CHECK(call.error().status == 400 || call.error().status == 405);
    WEIR_CHECK(!call.error().message.empty());
    return 0;
  }
  WEIR_CHECK(call->name.size() <= values::kMostNameBytes);
  if (call->name.empty()) return 0;
  const auto again = values::read_value_call(http::Method::Get,
                                             "/v1/keys/" + values::encode_percent(call->name), {});
  WEIR_CHECK(again && again->name == call->name);
  return 0;
}
