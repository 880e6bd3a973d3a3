#include "cachekeys/accept.h"

#include <gtest/gtest.h>

#include <set>

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

constexpr const char* kPage = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

std::string accept(std::string_view value) {
  return "Accept: " + std::string(value);
}

TEST(Accept, HoldsItsKindInTheKey) {
  // A page, an image with the formats that are worth telling, anything, or the preferred type.
  const struct {
    const char* accept;
    const char* type;
  } cases[] = {
      {kChrome, "text/html"},
      {kChromeImage, "image/avif, image/webp"},
      {kSafariImage, "image/avif, image/webp"},
      {"image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5", "image/*"},
      {"image/webp,*/*", "image/webp"},
      {"image/png, image/avif;q=0", "image/*"},
      {"image/*", "image/*"},
      {"IMAGE/AVIF", "image/avif"},
      {"*/*", ""},
      {"*", ""},
      {"*/*;q=0.1", ""},
      {"*/*, text/html;q=0.9", ""},
      {"text/html", "text/html"},
      {"text/html2", "text/html2"},
      {"Text/HTML;q=0.5", "text/html"},
      {"text/html, */*;q=0.1", "text/html"},
      {"*/*, text/html", "text/html"},
      {"application/xhtml+xml", "text/html"},
      {"html", "html"},
      {"image/avif;v=1", "image/avif;v=1"},
      {"*/*;v=1", "*/*;v=1"},
      {"application/json", "application/json"},
      {"Application/JSON", "application/json"},
      {"application/json, text/plain, */*", "application/json, */*;q=0.1"},
      {"*/*, application/json", "application/json, */*;q=0.1"},
      {"application/json, */*;q=0", "application/json"},
      {"text/html;q=0.5, application/json", "application/json"},
      {"text/html, application/json", "text/html"},
      {"text/css,*/*;q=0.1", "text/css, */*;q=0.1"},
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
    append_accept_kind(request.head, out);
    EXPECT_EQ(out, c.type) << c.accept;
  }
  const TestRequest two_lines(get("/", "Accept: */*\nAccept: application/json"));
  std::string out;
  append_accept_kind(two_lines.head, out);
  EXPECT_EQ(out, "application/json, */*;q=0.1");
  // A field that Connection takes back never reaches the app, so it has no kind.
  const TestRequest taken_back(get("/", "Accept: text/html\nConnection: accept"));
  out.clear();
  append_accept_kind(taken_back.head, out);
  EXPECT_EQ(out, "");
}

TEST(Accept, HasOneKindOnPathsThatEndLikeStaticFiles) {
  // Nobody negotiates the type of a stylesheet: whoever asks, it is one object.
  const struct {
    const char* path;
    bool one_kind;
  } cases[] = {
      {"/app.css", true},
      {"/a/b.min.JS", true},
      {"/f.woff2", true},
      {"/i.png?v=1", true},
      {"/x.webmanifest", true},
      {"/a.b/c", false},
      {"/", false},
      {"/users.json", false},
      {"/feed.xml", false},
      {"/page.html", false},
      {"/css", false},
      {"/.css", true},
      {"/a.css/", false},
      {"/a.css;x=1", false},
      {"/a.cssx", false},
      {"/a.", false},
      {"/a.longer-than-any-extension", false},
  };
  for (const auto& c : cases) {
    std::set<std::string> keys;
    std::set<std::string> sights;
    for (const char* line : {kChrome, kChromeImage, "*/*", "application/json", ""}) {
      const std::string text = get(c.path, accept(line));
      keys.insert(key_of(text, recipe_of({})));
      sights.insert(sent_field(shared_of(text, recipe_of({})), "accept"));
    }
    EXPECT_EQ(keys.size(), c.one_kind ? 1U : 4U) << c.path;
    EXPECT_EQ(sights.size(), keys.size()) << c.path;
    EXPECT_TRUE(!c.one_kind || *sights.begin() == "*/*") << c.path;
  }
}

TEST(Accept, IsSentInOneFormOfItsKind) {
  // What a kind's requests differ in is not sent; AVIF and WebP can be negotiated all the same.
  const struct {
    const char* accept;
    const char* sent;
  } cases[] = {
      {kChrome, kPage},
      {"text/html", kPage},
      {"text/html, application/json;q=0.1", kPage},
      {kChromeImage, "image/avif, image/webp, image/*, */*;q=0.8"},
      {kSafariImage, "image/avif, image/webp, image/*, */*;q=0.8"},
      {"image/png;q=0.9 , application/json;q=0.1,*/*;q=0.5", "image/*, */*;q=0.8"},
      {"image/webp", "image/webp, image/*, */*;q=0.8"},
      {"*/*", "*/*"},
      {"*/*;q=0.5, application/json;q=0.1", "*/*"},
      {"application/json, text/plain, */*", "application/json, */*;q=0.1"},
      {"image/avif;v=1", "image/avif;v=1"},
      {"application/json;q=0", "*/*"},
      {"", "*/*"},
  };
  for (const auto& c : cases) {
    const SentRequest sent = shared_of(get("/", accept(c.accept)), recipe_of({}));
    EXPECT_EQ(sent_field(sent, "accept"), c.sent) << c.accept;
  }
  EXPECT_EQ(sent_field(shared_of(get("/"), recipe_of({})), "accept"), "*/*");
}

TEST(Accept, IsOneSightForOneKey) {
  // Of any two clients, sealed or not: same key, same Accept; other key, other Accept.
  const char* lines[] = {kChrome,
                         kChromeImage,
                         kSafariImage,
                         "*/*",
                         "text/html",
                         "",
                         "html",
                         "image/*",
                         "image/avif",
                         "image/avif, image/webp",
                         "image/webp;v=1",
                         "application/json",
                         "application/json;v=2",
                         "application/json, */*",
                         "text/*",
                         kPage,
                         "image/*, */*;q=0.8",
                         "application/xhtml+xml",
                         "text/html;level=1"};
  for (const bool sealed : {false, true}) {
    const Recipe recipe = recipe_of({.sealed = sealed});
    for (const char* a : lines) {
      for (const char* b : lines) {
        const std::string one = get("/", accept(a));
        const std::string other = get("/", accept(b));
        EXPECT_EQ(key_of(one, recipe) == key_of(other, recipe),
                  sent_field(shared_of(one, recipe), "accept") ==
                      sent_field(shared_of(other, recipe), "accept"))
            << a << " and " << b;
      }
    }
  }
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
