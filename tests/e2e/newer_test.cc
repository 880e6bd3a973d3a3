// The app was asked once more and gave a newer answer that cannot be stored: the older one is no
// hit any more. What says nothing of the object leaves it alone.
#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

struct Newer {
  const char* name;
  std::function<Reply()> answer;
  bool replaces = true;
};

Reply with(int status, const char* cache_control, std::string body = "new") {
  return Reply(status).header("Cache-Control", cache_control).body(std::move(body));
}

const std::string kTooLarge(70'000, 'n');

const Newer kStored = {"Stored", [] { return with(200, "max-age=600"); }};
const Newer kStoredLarge = {"StoredLarge",
                            [] { return with(200, "max-age=600", std::string(60'000, 'n')); }};

const Newer kNewer[] = {
    {"TooLarge", [] { return with(200, "max-age=600", kTooLarge); }},
    {"TooLargeAndOfUnknownLength",
     [] { return Reply(200).header("Cache-Control", "max-age=600").chunked().part(kTooLarge); }},
    {"NoStore", [] { return with(200, "no-store"); }},
    {"Private", [] { return with(200, "private"); }},
    {"SetsACookie", [] { return with(200, "max-age=600").header("Set-Cookie", "a=b"); }},
    {"Gone", [] { return with(410, "no-store"); }},
    {"NotFound", [] { return with(404, "no-store"); }},
    {"Elsewhere", [] { return with(302, "no-store").header("Location", "/b"); }},
    {"TooManyRequests", [] { return with(429, "no-store"); }, false},
    {"LogInFirst", [] { return with(401, "no-store"); }, false},
    {"Unavailable", [] { return with(503, "no-store"); }, false},
    {"Broken", [] { return with(500, "max-age=600"); }, false},
};

class NewerAnswer : public Disk,
                    public testing::WithParamInterface<std::tuple<Newer, const char*>> {
 protected:
  void begin_with(const std::string& backend) {
    begin((backend == "ram"
               ? std::string("backends: { a: { type: ram, max_size: 8MiB, ")
               : "backends: { a: { type: disk, cache_dir: " + dir() + ", min_free: 0, ") +
          "max_object_size: 64KiB } }\ndefault: a\n"
          "routes: [ { match: /**, cache: { duration: 60, client_no_cache: honor } } ]\n");
  }
};

INSTANTIATE_TEST_SUITE_P(Answers, NewerAnswer,
                         testing::Combine(testing::ValuesIn(kNewer),
                                          testing::Values("ram", "disk")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "In" +
                                  std::get<1>(test.param);
                         });

TEST_P(NewerAnswer, LeavesNoOlderOneAHitWhereItSpeaksOfTheObject) {
  const auto& [newer, backend] = GetParam();
  origin_.script("/a", {cacheable("old"), newer.answer(), cacheable("third")});
  begin_with(backend);
  expect_body("/a", "old");
  expect_hit("/a", "old");
  get("/a", {{"Cache-Control", "no-cache"}});
  EXPECT_EQ(get("/a").body, newer.replaces ? "third" : "old");
  EXPECT_EQ(origin_.hits("/a"), newer.replaces ? 3 : 2);
}

class OlderFlight : public NewerAnswer {};

INSTANTIATE_TEST_SUITE_P(Answers, OlderFlight,
                         testing::Combine(testing::Values(kNewer[0], kStored, kStoredLarge),
                                          testing::Values("ram", "disk")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "In" +
                                  std::get<1>(test.param);
                         });

TEST_P(OlderFlight, ReplacesNothingThatWasAskedForLater) {
  // The app is slow with a body; meanwhile somebody has it asked once more.
  const auto& [newer, backend] = GetParam();
  const Gate gate;
  const Reply slow =
      Reply(200).header("Cache-Control", "max-age=600").chunked().part("o").gate(gate).part("ld");
  origin_.script("/a", {slow, newer.answer(), newer.answer()});
  begin_with(backend);
  Client first = client();
  first.send(Client::message("GET", "/a"));
  EXPECT_EQ(first.read_head().status, 200);
  const Response forced = get("/a", {{"Cache-Control", "no-cache"}});
  EXPECT_EQ(forced.body.front(), 'n');
  EXPECT_EQ(get("/a").body, forced.body) << "nobody joins the older one";
  gate.open();
  EXPECT_EQ(first.read_chunked(3), "old");
  first.hang_up();
  EXPECT_TRUE(eventually([&] { return get("/a").body == forced.body; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/a").body, forced.body) << i;
}

TEST_P(NewerAnswer, IsAboutItsOwnVariant) {
  const auto& [newer, backend] = GetParam();
  const auto in_german = [](Reply reply) {
    return std::move(reply.header("Vary", "Accept-Language"));
  };
  origin_.script("/a", {in_german(cacheable("en")), in_german(cacheable("de")),
                        in_german(newer.answer()), in_german(cacheable("third"))});
  begin_with(backend);
  const Fields english = {{"Accept-Language", "en"}};
  const Fields german = {{"Accept-Language", "de"}};
  expect_body("/a", "en", english);
  expect_body("/a", "de", german);
  get("/a", {{"Accept-Language", "de"}, {"Cache-Control", "no-cache"}});
  expect_body("/a", "en", english);
  EXPECT_EQ(get("/a", german).body, newer.replaces ? "third" : "de");
}

}  // namespace
}  // namespace weir::test
