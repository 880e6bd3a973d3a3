#include "proxy/upstream/ask_once.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "proxy/upstream/curl_global.h"

namespace weir::upstream {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

std::size_t take(const char* bytes, std::size_t size, std::size_t count, void* into) {
  std::string& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kMostBytes) return 0;
  body.append(bytes, size * count);
  return size * count;
}

std::string url_of(const AskOnce& ask) {
  const conf::ListenAddress& to = ask.address;
  if (to.kind == conf::ListenAddress::Kind::Unix) return "http://localhost" + ask.path;
  const bool v6 = to.host.contains(':');
  return fmt::format("http://{}{}{}:{}{}", v6 ? "[" : "", to.host, v6 ? "]" : "", to.port,
                     ask.path);
}

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Fields = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void add(Fields& fields, const std::string& field) {
  curl_slist* const longer = curl_slist_append(fields.release(), field.c_str());
  fields.reset(longer);
}

}  // namespace

Result<Answered> ask_once(const AskOnce& ask) {
  init_curl();
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) return fail(ErrorCode::System, "libcurl gives no handle");
  CURL* const curl = easy.get();
  Answered out;
  Fields fields(nullptr, &curl_slist_free_all);
  const std::string url = url_of(ask);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // nothing stands between
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ask.timeout_ms);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
  if (ask.address.kind == conf::ListenAddress::Kind::Unix) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, ask.address.host.c_str());
  }
  if (!ask.token.empty()) add(fields, "Authorization: Bearer " + ask.token);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  if (!ask.body.empty() || ask.method == "POST" || ask.method == "PUT") {
    add(fields, "Content-Type: " + ask.content_type);
    add(fields, "Expect:");  // nobody is asked whether a body may come
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(ask.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask.body.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return fail(ErrorCode::Unavailable, curl_easy_strerror(code));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
  const char* type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) out.content_type = type;
  return out;
}

}  // namespace weir::upstream
