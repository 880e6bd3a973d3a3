// Reading a request's fields for keys: all lines of a name, those left out that the client's
// Connection field takes back, since they never reach the app (RFC 9110 7.6.1). Were they in the
// key, a client could store the answer without a field under the name of the answer with it.
#pragma once

#include <string_view>

#include "base/http/hop_by_hop.h"
#include "base/http/message.h"
#include "base/text.h"

namespace weir::keys {

// Whether some Connection line says more than keep-alive or close.
inline bool connection_names_fields(const http::RequestHead& head) {
  if (!head.has(http::FieldId::Connection)) return false;
  for (const http::FieldView& field : head.fields) {
    if (field.id == http::FieldId::Connection && !equals_ignore_case(field.value, "keep-alive") &&
        !equals_ignore_case(field.value, "close")) {
      return true;
    }
  }
  return false;
}

inline bool taken_back(const http::RequestHead& head, std::string_view name) {
  return connection_names_fields(head) && http::named_by_connection(head, name);
}

// Calls `visit(value)` for each line of this known field that travels on.
template <class Visit>
void for_each_line(const http::RequestHead& head, http::FieldId id, Visit&& visit) {
  if (!head.has(id) || taken_back(head, http::field_name(id))) return;
  for (const http::FieldView& field : head.fields) {
    if (field.id == id) visit(field.value);
  }
}

// The same for a name in lower case that need not be a known one.
template <class Visit>
void for_each_line(const http::RequestHead& head, http::FieldId id, std::string_view name,
                   Visit&& visit) {
  if (id != http::FieldId::Other) return for_each_line(head, id, visit);
  for (const http::FieldView& field : head.fields) {
    if (field.id == http::FieldId::Other && equals_ignore_case(field.name, name) &&
        !taken_back(head, name)) {
      visit(field.value);
    }
  }
}

}  // namespace weir::keys
