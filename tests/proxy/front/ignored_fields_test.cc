#include "proxy/front/ignored_fields.h"

#include <gtest/gtest.h>

namespace weir::front {
namespace {

using conf::TrustedField;

http::RequestHead request_with(std::initializer_list<std::string_view> names) {
  http::RequestHead head;
  for (const std::string_view name : names) head.add({http::field_id(name), name, "x"});
  return head;
}

TEST(IgnoredFields, AreNamedWithTheLineThatWouldAdmitThem) {
  EXPECT_EQ(
      ignored_fields_line({TrustedField::For, TrustedField::Proto}, {TrustedField::Host},
                          "10.0.0.1"),
      "X-Forwarded-Host of the trusted proxy 10.0.0.1 ignored; if the proxy sets that itself, "
      "whatever a visitor sends, this admits it: \"trusted_fields: [for, proto, host]\"");
  EXPECT_EQ(ignored_fields_line({}, {TrustedField::Proto, TrustedField::Forwarded}, "::1"),
            "X-Forwarded-Proto, Forwarded of the trusted proxy ::1 ignored; if the proxy sets that "
            "itself, whatever a visitor sends, this admits it: "
            "\"trusted_fields: [proto, forwarded]\"");
}

TEST(IgnoredFields, AreLoggedOnceEach) {
  IgnoredFields fields({TrustedField::For, TrustedField::Proto});
  const auto logged = [&](std::initializer_list<std::string_view> names) {
    testing::internal::CaptureStderr();
    fields.note(request_with(names), "10.0.0.1");
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(logged({"X-Forwarded-For", "X-Forwarded-Proto", "Accept"}), "");
  EXPECT_NE(logged({"X-Forwarded-Host"}).find("[for, proto, host]"), std::string::npos);
  EXPECT_EQ(logged({"X-Forwarded-Host"}), "");
  const std::string second = logged({"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"});
  EXPECT_NE(second.find("X-Forwarded-Prefix, Forwarded of"), std::string::npos) << second;
  EXPECT_EQ(second.find("X-Forwarded-Host"), std::string::npos) << second;
  EXPECT_EQ(logged({"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"}), "");
}

}  // namespace
}  // namespace weir::front
