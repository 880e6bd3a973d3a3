// Accept: apps that answer one URL in several ways, and the clients that ask for them.
#include <vector>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

struct Kind {
  const char* what;
  std::vector<Fields> clients;  // of one kind: they share
};

// Clients as they are, sorted by the kind that their Accept is of.
std::vector<Kind> kinds() {
  const auto accepting = [](const char* value) { return Fields{{"Accept", value}}; };
  return {
      {"a page",
       {accepting("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
                  "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"),
        accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        accepting("text/html, application/json;q=0.1"), accepting("text/html")}},
      {"an image of a new browser",
       {accepting("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
        accepting("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5")}},
      {"an image of an old browser",
       {accepting("image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5")}},
      {"anything", {accepting("*/*"), Fields{}, accepting("*/*;q=0.8")}},
      {"JSON", {accepting("application/json"), accepting("application/json, text/plain")}},
      {"JSON, or else anything",
       {accepting("application/json, text/plain, */*"), accepting("application/json, */*;q=0.01")}},
      {"JSON of a version", {accepting("application/vnd.app.v2+json")}},
      {"events", {accepting("text/x-events")}},
  };
}

using App = Reply (*)(const Request&);

bool takes(const Request& request, std::string_view type) {
  return request.fields.joined("Accept").find(type) != std::string::npos;
}

// None of them says Vary.
Reply page_where_html_is_named(const Request& request) {  // GraphQL servers
  if (takes(request, "text/html")) return cacheable("<page>").header("X-Type", "html");
  return cacheable("{}").header("X-Type", "json");
}
Reply json_unless_html_is_first(const Request& request) {
  const std::string accept = request.fields.joined("Accept");
  return cacheable(accept.starts_with("text/html") ? "<page>" : "{}");
}
Reply best_image(const Request& request) {
  if (takes(request, "image/avif")) return cacheable("avif");
  return cacheable(takes(request, "image/webp") ? "webp" : "png");
}
Reply every_word(const Request& request) {  // whatever an app may make of it
  return cacheable("<" + request.fields.joined("Accept") + ">");
}

class Accept : public E2e {};

TEST_F(Accept, NoKindEverGetsAnothersAnswer) {
  // Of every app, for every two clients in turn: the second gets what it gets alone; of one kind
  // from the store, of two kinds from the app.
  start(kCacheAll);
  int url = 0;
  const std::vector<Kind> all = kinds();
  for (const App app :
       {page_where_html_is_named, json_unless_html_is_first, best_image, every_word}) {
    origin_.otherwise(app);
    for (const Kind& first : all) {
      for (const Kind& second : all) {
        SCOPED_TRACE(std::string(first.what) + ", then " + second.what);
        const std::string path = "/u" + std::to_string(++url);
        const std::string alone = get(path + "/alone", second.clients.front()).body;
        get(path, first.clients.front());
        const Response response = get(path, second.clients.back());
        EXPECT_EQ(response.body, alone);
        EXPECT_EQ(cache_status(response).hit, first.what == second.what);
      }
    }
  }
}

TEST_F(Accept, ClientsOfOneKindShareAndShowTheAppOneForm) {
  // Whichever of them comes first.
  origin_.otherwise(every_word);
  start(kCacheAll);
  int url = 0;
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(kind.what);
    const std::string path = "/k" + std::to_string(++url);
    const std::string body = get(path, kind.clients.front()).body;
    for (std::size_t i = 0; i < kind.clients.size(); ++i) {
      const Response response = get(path, kind.clients[i]);
      EXPECT_TRUE(cache_status(response).hit) << i;
      EXPECT_EQ(get(path + "/" + std::to_string(i), kind.clients[i]).body, body) << i;
    }
    EXPECT_EQ(origin_.hits(path), 1);
  }
}

TEST_F(Accept, PathsThatEndLikeFilesHaveOneKind) {
  // A stylesheet is fetched once for all who ask, in whatever words.
  origin_.otherwise([](const Request& request) {
    return Reply(200).body("<" + request.fields.joined("Accept") + ">");
  });
  start(kCacheAll);
  for (const char* path : {"/app.css", "/a/logo.png", "/f.woff2?v=1"}) {
    for (const Kind& kind : kinds()) {
      for (const Fields& client : kind.clients) EXPECT_EQ(get(path, client).body, "<*/*>") << path;
    }
  }
  EXPECT_EQ(origin_.hits("/app.css"), 1);
}

TEST_F(Accept, IsTheClientsOwnWhereTheRuleKeysIt) {
  // For apps that choose among images under names of files.
  origin_.otherwise(best_image);
  start("routes: [ { match: /**, cache: { duration: 60, armor: false, headers: [Accept] } } ]\n");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(get("/a.jpg", {{"Accept", "image/avif,*/*"}}).body, "avif");
    EXPECT_EQ(get("/a.jpg", {{"Accept", "image/webp,*/*"}}).body, "webp");
    EXPECT_EQ(get("/a.jpg").body, "png");
  }
  EXPECT_EQ(origin_.hits("/a.jpg"), 3);
}

}  // namespace
}  // namespace weir::test
