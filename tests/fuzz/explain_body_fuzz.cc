// Any bytes as the body of an explanation's request: it is a question, or a fault that can be
// answered; and a question that is written down again is the same question.
#include <string>

#include "proxy/admin/explain_body.h"
#include "proxy/admin/reply.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto question = admin::read_explain(body);
  if (question) {
    const auto again = admin::read_explain(admin::explain_body(*question));
    WEIR_CHECK(again && again->url == question->url && again->method == question->method);
    WEIR_CHECK(again->headers.size() == question->headers.size());
    return 0;
  }
  WEIR_CHECK(!question.error().message.empty());
  const admin::Reply reply =
      admin::error_reply(400, question.error().field, question.error().message);
  const auto said = admin::Json::parse(reply.body, nullptr, false);
  WEIR_CHECK(said.is_object() && said["error"]["message"].is_string());
  return 0;
}
