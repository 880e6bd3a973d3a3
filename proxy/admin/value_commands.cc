// weir get, set and clear.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "proxy/admin/asking.h"
#include "proxy/admin/commands.h"
#include "proxy/admin/json.h"
#include "proxy/values/value_pattern.h"

namespace weir::admin {
namespace {

using conf::ValueCommand;

std::string read_input() {
  std::string all;
  std::array<char, std::size_t{64} * 1024> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), stdin)) {
    all.append(buffer.data(), count);
  }
  return all;
}

// In a pattern the stars stay.
std::string path_of(const ValueCommand& command) {
  if (command.key.empty()) return "/v1/keys";
  if (command.kind != ValueCommand::Kind::Clear || command.exact) {
    return "/v1/keys/" + values::encode_percent(command.key);
  }
  std::string path = "/v1/keys/";
  for (std::string_view rest = command.key;;) {
    const std::size_t star = rest.find('*');
    path += values::encode_percent(rest.substr(0, star));
    if (star == std::string_view::npos) return path;
    path += '*';
    rest.remove_prefix(star + 1);
  }
}

std::string query_of(const ValueCommand& command) {
  std::string query;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    query += fmt::format("{}{}={}", query.empty() ? '?' : '&', name, values::encode_percent(value));
  };
  add("backend", command.backend);
  add("duration", command.duration);
  return query;
}

// Weir says that the value is not there; another server's 404 says nothing of it.
bool is_absent(const upstream::Answered& answer) {
  const auto error = error_of(answer);
  return answer.status == 404 && error && error->field == "key";
}

std::string base64_of(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // a zero byte behind it
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// A value that is no text goes in base64.
int print_value(const std::string& key, const upstream::Answered& answer) {
  const bool found = answer.status == 200;
  Json out = {{"key", key}, {"found", found}};
  if (found) {
    const bool is_text = valid_utf8(answer.body) == answer.body;
    out["content_type"] = answer.content_type;
    out["size"] = answer.body.size();
    out[is_text ? "value" : "value_base64"] = is_text ? answer.body : base64_of(answer.body);
  }
  fmt::print("{}", text_of(out));
  return found ? 0 : kFailure;
}

int get(const ValueCommand& command) {
  const auto answer = ask_instance("get", command.admin,
                                   {.path = path_of(command) + query_of(command), .body = {}});
  if (!answer) return kFailure;
  if (command.json && (answer->status == 200 || is_absent(*answer))) {
    return print_value(command.key, *answer);
  }
  if (answer->status != 200) return complain("get", complaint_of(*answer));
  std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  return 0;
}

int set(const ValueCommand& command) {
  const std::string type = command.type.empty() ? "application/octet-stream" : command.type;
  const auto answer = ask_instance("set", command.admin,
                                   {.path = path_of(command) + query_of(command),
                                    .body = command.value ? *command.value : read_input(),
                                    .method = "PUT",
                                    .content_type = type});
  if (!answer) return kFailure;
  if (answer->status != 204) return complain("set", complaint_of(*answer));
  if (command.json) fmt::print("{}", text_of({{"key", command.key}, {"stored", true}}));
  return 0;
}

// All values and all pages, or only the values of a backend, or those of a key or a pattern.
int clear(const ValueCommand& command) {
  const bool everything = command.key.empty() && command.backend.empty();
  upstream::AskOnce ask{
      .path = path_of(command) + query_of(command), .body = {}, .method = "DELETE"};
  if (everything) ask = {.path = "/v1/purge", .body = R"({"all": true})"};
  const auto answer = ask_instance("clear", command.admin, std::move(ask));
  if (!answer) return kFailure;
  if (command.json) fmt::print("{}", answer->body);
  const Json json = Json::parse(answer->body, nullptr, false);
  // 202: not all instances of a fleet have heard of it yet.
  const bool is_done = answer->status == 200 || answer->status == 202;
  if (!is_done || !json.is_object()) return complain("clear", complaint_of(*answer));
  const Json cleared = json.value("cleared", Json());
  if (cleared == 0) {
    return command.json ? kFailure : complain("clear", "there is nothing of that name");
  }
  if (command.json) return 0;
  if (everything) {
    fmt::print("cleared: all values and all pages\n");
  } else if (cleared.is_null()) {
    fmt::print("cleared: all values of backend {}\n", command.backend);
  } else {
    fmt::print("cleared: {}\n", cleared.get<std::uint64_t>());
  }
  return 0;
}

}  // namespace

int handle_value(const ValueCommand& command) {
  switch (command.kind) {
    case ValueCommand::Kind::Get:
      return get(command);
    case ValueCommand::Kind::Set:
      return set(command);
    case ValueCommand::Kind::Clear:
      return clear(command);
  }
  return kFailure;
}

}  // namespace weir::admin
