#include <string>

#include "base/text.h"
#include "cachekeys/sent_request.h"

namespace weir::keys {
namespace {

bool lists(std::string_view list, std::string_view name) {
  bool found = false;
  for_each_list_element(list, [&](std::string_view element) {
    found = found || element == "*" || equals_ignore_case(element, name);
  });
  return found;
}

void add(std::string_view name, std::string& list) {
  if (lists(list, name)) return;
  if (!list.empty()) list.append(", ");
  list.append(name);
}

}  // namespace

std::string response_vary(std::string_view vary, const Recipe& recipe) {
  std::string list(trim_ows(vary));
  if (recipe.language.mode != conf::LanguageRule::Mode::None) add("Accept-Language", list);
  for (std::size_t i = 0; i < recipe.headers.size(); ++i) {
    const std::string_view known = http::field_name(recipe.header_ids[i]);
    add(known.empty() ? std::string_view(recipe.headers[i]) : known, list);
  }
  if (!recipe.cookies.key.empty()) add("Cookie", list);
  return list;
}

}  // namespace weir::keys
