#include "proxy/flow/representation.h"

namespace weir::flow {

http::ResponseHead Representation::copy_head() const {
  if (!entry_) return head_->response;
  http::ResponseHead head;
  head.status = entry_->status();
  head.fields = entry_->fields();
  head.fields.remove(http::FieldId::ContentLength);  // the framing says it
  head.framing = http::Framing::Length;
  head.content_length = entry_->body_size();
  return head;
}

policy::Validators Representation::validators(bool by_date) const {
  policy::Validators validators;
  validators.status = status();
  validators.etag = entry_->etag();
  validators.last_modified = entry_->last_modified();
  if (by_date) validators.date = entry_->field(http::FieldId::Date).value_or("");
  return validators;
}

front::BodySource& Representation::open(const Waker& waker) {
  if (!entry_) return *reader_;
  entry_body_.reset(entry_, *waker.loop(), [waker] { waker.wake(); });
  return entry_body_;
}

}  // namespace weir::flow
