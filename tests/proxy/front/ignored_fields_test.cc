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

TEST(IgnoredFields, AreNewsOnceEach) {
  IgnoredFields fields({TrustedField::For, TrustedField::Proto});
  const auto news = [&](std::initializer_list<std::string_view> names) {
    return fields.take_news(request_with(names));
  };
  using Fields = conf::TrustedFields;
  EXPECT_EQ(news({"X-Forwarded-For", "X-Forwarded-Proto", "Accept"}), Fields());
  EXPECT_EQ(news({"X-Forwarded-Host"}), Fields({TrustedField::Host}));
  EXPECT_EQ(news({"X-Forwarded-Host"}), Fields());
  EXPECT_EQ(news({"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"}),
            Fields({TrustedField::Prefix, TrustedField::Forwarded}));
  EXPECT_EQ(news({"X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"}), Fields());
}

}  // namespace
}  // namespace weir::front
