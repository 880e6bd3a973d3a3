#include "proxy/admin/explain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace weir::admin {
namespace {

constexpr std::size_t kWidest = 40;  // of a column; what is longer pushes the next one aside

std::string text_at(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || found == json.end() || found->is_null()) return "";
  return found->is_string() ? terminal_text(found->get<std::string>()) : found->dump();
}

bool true_at(const Json& json, const char* key) {
  return json.is_object() && json.value(key, Json()) == true;
}

const Json& child(const Json& json, const char* key) {
  static const Json kNothing;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(key);
  return found == json.end() ? kNothing : *found;
}

// Lines of two columns and a remark, the first two as wide as the widest in them.
class Table {
 public:
  void add(std::string mark, std::string first, std::string second, std::string remark) {
    rows_.push_back({std::move(mark), std::move(first), std::move(second), std::move(remark)});
  }
  void print(std::string& out) const {
    std::size_t first = 0;
    std::size_t second = 0;
    for (const Row& row : rows_) {
      first = std::max(first, std::min(row.first.size(), kWidest));
      second = std::max(second, std::min(row.second.size(), kWidest));
    }
    for (const Row& row : rows_) {
      std::string line = fmt::format("{:1} {:<{}}  {:<{}}  {}", row.mark, row.first, first,
                                     row.second, second, row.remark);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
  }

 private:
  struct Row {
    std::string mark;
    std::string first;
    std::string second;
    std::string remark;
  };
  std::vector<Row> rows_;
};

void title(std::string& out, std::string_view name, std::string_view rest) {
  out += fmt::format("\n{}:{}{}\n", name, rest.empty() ? "" : " ", rest);
}

std::string reason_words(const Json& reason) {
  const std::string subject = text_at(reason, "subject");
  return fmt::format("{}{}: {}", text_at(reason, "detail"), subject.empty() ? "" : " " + subject,
                     text_at(reason, "text"));
}

void print_route(const Json& json, std::string& out) {
  const Json& route = child(json, "route");
  if (route.is_null()) {
    title(out, "route", "none matches; the request is passed through");
    return;
  }
  const std::string file = text_at(route, "file");
  const std::string line = text_at(route, "line");
  const std::string place = line == "0" ? "built in" : file + ":" + line;
  title(out, "route",
        fmt::format("{} ({}){}", text_at(route, "name"), place,
                    true_at(route, "caches") ? "" : ", which has no cache"));
}

std::string_view class_words(std::string_view name) {
  if (name == "shared") return "shared: whoever has the same key may have the same answer";
  if (name == "personal") {
    return "personal: one visitor's, unless the answer itself says that it is for everybody";
  }
  return "bypass: passed through, neither looked up nor stored";
}

void print_change(const Json& change, std::string& out) {
  if (change.is_null()) return;
  const std::string yaml = text_at(change, "yaml");
  if (!yaml.empty()) {
    out += fmt::format("  change  {}    (in {})\n", yaml, text_at(change, "where"));
  }
  out += fmt::format("  means   {}\n", text_at(change, "means"));
}

void print_class(const Json& json, std::string& out) {
  title(out, "class", class_words(text_at(json, "class")));
  const Json& reason = child(json, "reason");
  if (!reason.is_null()) out += fmt::format("  why     {}\n", reason_words(reason));
  print_change(child(json, "change"), out);
}

void print_key(const Json& json, std::string& out) {
  const Json& key = child(json, "key");
  if (key.is_null()) return;
  title(out, "key",
        fmt::format("{} (rule {}); what is marked - is left out of it", text_at(key, "hash"),
                    text_at(key, "rule")));
  Table table;
  for (const Json& part : child(key, "parts")) {
    const std::string name = text_at(part, "name");
    const std::string value = text_at(part, "value");
    const bool named = part.contains("name");
    table.add(true_at(part, "in_key") ? "" : "-", text_at(part, "part"),
              named           ? fmt::format("{}={}", name, value)
              : value.empty() ? "(none)"
                              : value,
              text_at(part, "why"));
  }
  table.print(out);
}

void print_app(const Json& json, std::string& out) {
  const Json& app = child(json, "app");
  if (app.is_null()) return;
  title(out, "app", fmt::format("is asked in the {} form", text_at(app, "form")));
  out += fmt::format("  {}\n", text_at(app, "request"));
  for (const Json& field : child(app, "fields")) {
    out += fmt::format("  {}: {}\n", text_at(field, "name"), text_at(field, "value"));
  }
  Table table;
  for (const Json& change : child(app, "changes")) {
    table.add(true_at(change, "removed") ? "-" : "~", text_at(change, "name"),
              text_at(change, "value"), text_at(change, "why"));
  }
  table.print(out);
}

std::string joined(const Json& list) {
  std::string out;
  for (const Json& one : list) {
    out += (out.empty() ? "" : ", ") +
           (one.is_string() ? terminal_text(one.get<std::string>()) : one.dump());
  }
  return out;
}

std::string answer_words(const Json& answer) {
  if (!true_at(answer, "stored")) return "not stored: " + reason_words(child(answer, "refused"));
  if (!true_at(answer, "shared")) return "stored, for its stale windows or to be validated";
  return fmt::format("stored, fresh for {} s", text_at(answer, "ttl_s"));
}

void print_storing(const Json& json, std::string& out) {
  const Json& storing = child(json, "storing");
  if (storing.is_null()) return;
  title(out, "storing",
        fmt::format("in {}; origin: {}", joined(child(storing, "tiers")),
                    text_at(storing, "origin")));
  for (const Json& lifetime : child(storing, "lifetimes")) {
    out += fmt::format("  {} is fresh for {} s where the app does not say ({})\n",
                       text_at(lifetime, "status"), text_at(lifetime, "seconds"),
                       text_at(lifetime, "source"));
  }
  out += fmt::format("  stale_while_revalidate {} s, stale_if_error {} s, at most {} bytes\n",
                     text_at(storing, "stale_while_revalidate_s"),
                     text_at(storing, "stale_if_error_s"), text_at(storing, "max_object_size"));
  if (child(storing, "answers").empty()) return;
  title(out, "answers", "what would become of them");
  Table table;
  for (const Json& answer : child(storing, "answers")) {
    table.add("", text_at(answer, "answer"), "", answer_words(answer));
  }
  table.print(out);
}

void print_stored(const Json& json, std::string& out) {
  const Json& stored = child(json, "stored");
  if (stored.is_null()) return;
  title(out, "stored", child(stored, "held").empty() ? "nothing under this key" : "");
  Table table;
  for (const Json& held : child(stored, "held")) {
    const std::string purged = text_at(held, "purged");
    table.add("", text_at(held, "backend"), text_at(held, "state"),
              held.contains("state") ? fmt::format("status {}, age {} s, ttl {} s, {} bytes{}",
                                                   text_at(held, "status"), text_at(held, "age_s"),
                                                   text_at(held, "ttl_s"), text_at(held, "bytes"),
                                                   purged.empty() ? "" : ", purged: " + purged)
                                     : "the marker of a URL with variants");
  }
  table.print(out);
  if (stored.contains("vary")) {
    out += fmt::format("  {} variants, told apart by {}\n", text_at(stored, "variants"),
                       joined(child(stored, "vary")));
  }
  if (true_at(stored, "in_flight")) out += "  it is being fetched, or looked for, at this moment\n";
  const Json& uncacheable = child(stored, "uncacheable");
  if (uncacheable.is_null()) return;
  out += fmt::format("  remembered as uncacheable for {} ms more: {}\n",
                     text_at(uncacheable, "for_ms"), reason_words(uncacheable));
  print_change(child(uncacheable, "change"), out);
}

std::string_view now_words(const Json& now) {
  if (true_at(now, "not_modified")) return "304: the client's own copy is still good";
  if (true_at(now, "hit")) return "served from the store";
  if (true_at(now, "follows")) return "waits for the fetch that is under way";
  if (true_at(now, "asks_app")) return "the app is asked";
  return "answered by Weir itself";
}

void print_now(const Json& json, std::string& out) {
  const Json& now = child(json, "now");
  if (now.is_null()) return;
  const bool live = json.contains("stored");
  title(out, live ? "now" : "first request",
        fmt::format("{} ({})", text_at(now, "cache_status"), now_words(now)));
  if (true_at(now, "asks_app")) {
    out += "  if the app answers with a page that says nothing, or as it did last\n";
  }
}

}  // namespace

std::string explanation_text(const Json& explanation) {
  const Json& request = child(explanation, "request");
  std::string out = fmt::format("{} {}\n", text_at(request, "method"), text_at(request, "url"));
  print_route(explanation, out);
  print_class(explanation, out);
  print_key(explanation, out);
  print_app(explanation, out);
  print_storing(explanation, out);
  print_stored(explanation, out);
  print_now(explanation, out);
  return out;
}

}  // namespace weir::admin
