#include "tests/cachekeys/random_request.h"

#include <iterator>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

// How a request may spell a piece, and what the piece means for the key.
struct Spelling {
  const char* text;
  const char* meaning;
};

constexpr Spelling kHosts[] = {{"a.test", "a.test"},
                               {"A.Test", "a.test"},
                               {"a.test:80", "a.test"},
                               {"a.test:81", "a.test:81"},
                               {"b.test", "b.test"}};
constexpr Spelling kPaths[] = {{"/p", "/p"},           {"/%70", "/p"},     {"/p/", "/p/"},
                               {"/p%2F", "/p%2F"},     {"/p%zz", "/p%zz"}, {"/%70%zz", "/%70%zz"},
                               {"/p%2570", "/p%2570"}, {"/%2Ep", "/.p"},   {"/.p", "/.p"},
                               {"/%2e/p", "/%2e/p"},   {"/./p", "/./p"}};
constexpr Spelling kLanguages[] = {
    {"de", "de"},         {"DE;q=0.1", "de"}, {"de, de-ch", "de"}, {"de;q=0.5, en", "en, de"},
    {"en, de", "en, de"}, {"*", ""},          {"en;q=0", ""}};
constexpr Spelling kAccepts[] = {{"*/*", ""},
                                 {"text/html, */*;q=0.8", "text/html"},
                                 {"image/webp,image/*", "image/webp"},
                                 {"text/html, application/json;q=0.3", "text/html"},
                                 {"application/json", "application/json"},
                                 {"application/JSON;q=0.3", "application/json"},
                                 {"*/*;q=0.1, application/json", "application/json, */*"},
                                 {"application/json;v=2", "application/json;v=2"}};

struct Parameter {
  const char* text;
  const char* family;  // empty: removed
  const char* meaning;
};
constexpr Parameter kParameters[] = {
    {"a=1", "a", "a=1"},       {"%61=1", "a", "a=1"},   {"a=", "a", "a="},   {"a", "a", "a"},
    {"A=1", "a", "A=1"},       {"a[]=1", "a", "a[]=1"}, {"b=1", "b", "b=1"}, {"b=%31", "b", "b=1"},
    {"b=%261", "b", "b=%261"}, {"utm_x=1", "", ""},     {"gclid", "", ""},   {"", "", ""},
};

struct Field {
  const char* name;
  bool keyed;
};
constexpr Field kFields[] = {
    {"x-t", true},
    {"X-T", true},
    {"x-u", true},
    {"HX-Request", true},
    {"hx-request", true},
    {"RSC", true},
    {"X-Inertia-a", true},
    {"X-Other", false},
    {"User-Agent", false},
    {"Origin", false},
    {"X_T", false},
    {"X-Forwarded-Prefix", false},
    {"Range", false},
    {"If-None-Match", false},
    {"Cache-Control", false},
    {"X-Forwarded-For", false},
    {"Accept-Encoding", false},
};
constexpr const char* kValues[] = {"", "1", "gzip", "x-t", "1, 1"};
constexpr const char* kCookieNames[] = {"c", "d", "_ga", "other"};

std::size_t below(std::size_t bound, std::mt19937& random) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}
template <class T, std::size_t N>
const T& pick(const T (&choices)[N], std::mt19937& random) {
  return choices[below(N, random)];
}

void add_query(std::mt19937& random, std::string& target, KeyModel& model) {
  if (below(3, random) == 0) return;
  const std::string raw_path = target;
  std::string query;
  for (std::size_t count = below(4, random), i = 0; i < count; ++i) {
    const Parameter& parameter = pick(kParameters, random);
    if (i > 0) query += "&";
    query += parameter.text;
    if (*parameter.family != '\0') model.parameters[parameter.family].push_back(parameter.meaning);
  }
  if (below(8, random) == 0) {
    query += "&sig=1";
    model.parameters.clear();
    model.signed_query = query;
    model.path = raw_path;
  }
  model.empty_query = query.find_first_not_of('&') == std::string::npos;
  target += "?" + query;
}

void add_fields(std::mt19937& random, std::string& text, KeyModel& model) {
  for (std::size_t count = below(3, random), i = 0; i < count; ++i) {
    const Field& field = pick(kFields, random);
    const char* value = pick(kValues, random);
    text += std::string(field.name) + ": " + value + "\n";
    std::string name;
    for (const char c : std::string(field.name)) name += static_cast<char>(std::tolower(c));
    if (field.keyed) model.headers[name].push_back(value);
  }
}

void add_cookies(std::mt19937& random, std::string& text, KeyModel& model) {
  const std::size_t count = below(4, random);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = pick(kCookieNames, random);
    const std::string value = pick(kValues, random);
    const bool new_line = i == 0 || below(3, random) == 0;
    text += (new_line ? (i == 0 ? "Cookie: " : "\nCookie: ") : "; ") + name + "=" + value;
    if (name == "c" || name == "d") model.cookies[name].push_back(value);
  }
  if (count > 0) text += "\n";
}

}  // namespace

Recipe random_request_recipe(bool sealed) {
  return recipe_of({.headers = {"X-T", "x-u"},
                    .cookies = {{"c", "d"}, {}, conf::CookieRule::Other::Ignore},
                    .sealed = sealed});
}

RandomRequest random_request(std::mt19937& random) {
  RandomRequest request;
  KeyModel& model = request.model;
  const Spelling& path = pick(kPaths, random);
  model.path = path.meaning;
  std::string target = path.text;
  add_query(random, target, model);
  const Spelling& host = pick(kHosts, random);
  model.host = host.meaning;
  request.text = "GET " + target + " HTTP/1.1\nHost: " + host.text + "\n";
  if (below(3, random) == 0) {
    const Spelling& language = pick(kLanguages, random);
    model.language = language.meaning;
    request.text += std::string("Accept-Language: ") + language.text + "\n";
  }
  if (below(3, random) == 0) {
    const Spelling& accept = pick(kAccepts, random);
    model.accept = accept.meaning;
    request.text += std::string("Accept: ") + accept.text + "\n";
  }
  add_fields(random, request.text, model);
  add_cookies(random, request.text, model);
  return request;
}

}  // namespace weir::keys
