#include "cachekeys/accept.h"

#include <gtest/gtest.h>

#include "cachekeys/normalize.h"
#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

constexpr const char* kChrome =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
constexpr const char* kChromeImage =
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
constexpr const char* kSafariImage =
    "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,"
    "image/svg+xml,image/*;q=0.8,*/*;q=0.5";

std::string accept(std::string_view value) {
  return "Accept: " + std::string(value);
}

TEST(Accept, HoldsThePreferredTypeUnlessItIsABrowsersOwn) {
  // The key names the type that the client likes best, except HTML, images and anything.
  const struct {
    const char* accept;
    const char* type;
  } cases[] = {
      {kChrome, ""},
      {kChromeImage, ""},
      {kSafariImage, ""},
      {"*/*", ""},
      {"*", ""},
      {"text/html", ""},
      {"Text/HTML;q=0.5", ""},
      {"application/xhtml+xml", ""},
      {"application/json", "application/json"},
      {"Application/JSON", "application/json"},
      {"application/json, text/plain, */*", "application/json"},
      {"*/*, application/json", "application/json"},
      {"text/html;q=0.5, application/json", "application/json"},
      {"text/html, application/json", ""},
      {"text/css,*/*;q=0.1", "text/css"},
      {"application/json; version=2 ;q=0.3", "application/json;version=2"},
      {"text/html;level=1", "text/html;level=1"},
      {"application/json;q=0", ""},
      {"application/json;q=abc, text/html;q=0.9", "application/json"},
      {"text/*, application/pdf", "application/pdf"},
      {"text/event-stream", "text/event-stream"},
      {"json", "json"},
      {"", ""},
  };
  for (const auto& c : cases) {
    const TestRequest request(get("/", accept(c.accept)));
    std::string out;
    append_preferred_type(request.head, out);
    EXPECT_EQ(out, c.type) << c.accept;
  }
  const TestRequest two_lines(get("/", "Accept: */*\nAccept: application/json"));
  std::string out;
  append_preferred_type(two_lines.head, out);
  EXPECT_EQ(out, "application/json");
}

TEST(Accept, TellsTheAppNoTypeThatTheKeyDoesNotHold) {
  // A type that the key leaves out is not sent, while AVIF and WebP can still be negotiated.
  const struct {
    const char* accept;
    const char* sent;
  } cases[] = {
      {kChrome, kChrome},
      {kChromeImage, kChromeImage},
      {kSafariImage, kSafariImage},
      {"*/*", "*/*"},
      {"text/html", "text/html"},
      {"application/json, text/plain, */*", "application/json"},
      {"text/html, application/json;q=0.1", "text/html"},
      {"image/png;q=0.9 , application/json;q=0.1,*/*;q=0.5", "image/png;q=0.9, */*;q=0.5"},
      {"application/json;q=0", "(absent)"},
      {"", "(absent)"},
  };
  for (const auto& c : cases) {
    const SentRequest sent = shared_of(get("/", accept(c.accept)), recipe_of({}));
    EXPECT_EQ(sent_field(sent, "accept"), c.sent) << c.accept;
  }
  EXPECT_EQ(sent_field(shared_of(get("/"), recipe_of({})), "accept"), "(absent)");
}

TEST(Accept, HasOneFormPerKeyOnASealedRoute) {
  // Sealed, all requests of one key show the app one Accept.
  const Recipe sealed = recipe_of({.sealed = true});
  for (const char* line : {kChrome, kChromeImage, "*/*", "text/html", ""}) {
    EXPECT_EQ(sent_field(shared_of(get("/", accept(line)), sealed), "accept"), "*/*") << line;
  }
  EXPECT_EQ(sent_field(shared_of(get("/"), sealed), "accept"), "*/*");
  EXPECT_EQ(sent_field(shared_of(get("/", accept("application/json, */*")), sealed), "accept"),
            "application/json");
}

TEST(Accept, IsWholeWhenTheRuleKeysIt) {
  // `headers: [Accept]` puts the client's own words in the key and before the app.
  const Recipe recipe = recipe_of({.headers = {"Accept"}});
  const std::string one = get("/", accept("text/html, application/json;q=0.1"));
  EXPECT_EQ(sent_field(shared_of(one, recipe), "accept"), "text/html, application/json;q=0.1");
  EXPECT_NE(key_of(one, recipe), key_of(get("/", accept("text/html")), recipe));
}

}  // namespace
}  // namespace weir::keys
