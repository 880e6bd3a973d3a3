#include "proxy/flow/fill_order.h"

#include <algorithm>

namespace weir::flow {

OwnedHead::OwnedHead(const http::RequestHead& head) : head_(head) {
  const char* begin = head.method_text.data();
  const char* end = head.target.data() + head.target.size();
  for (const http::FieldView& field : head.fields) {
    end = std::max(end, field.value.data() + field.value.size());
  }
  bytes_.assign(begin, end);
  head_.rebase(begin, bytes_.data());
}

}  // namespace weir::flow
