#include "proxy/flow/representation.h"

namespace weir::flow {

http::ResponseHead Representation::copy_head() const {
  if (!entry_) return head_->response;
  http::ResponseHead head;
  head.status = entry_->meta().status;
  head.fields = entry_->fields();
  head.framing = http::Framing::Length;
  head.content_length = entry_->body().size();
  return head;
}

policy::Validators Representation::validators() const {
  const http::HeaderBlock& fields = entry_->fields();
  return {.status = status(),
          .etag = fields.value(http::FieldId::ETag),
          .last_modified = fields.value(http::FieldId::LastModified),
          .date = fields.value(http::FieldId::Date)};
}

front::BodySource& Representation::open() {
  if (!entry_) return *reader_;
  entry_body_.reset(entry_);
  return entry_body_;
}

}  // namespace weir::flow
