// An answer that could be sent: its head and where its body comes from, whether it rests in a store
// or is still arriving. What the transaction's one exit, respond(), takes. Lives on the
// transaction's loop, in the transaction: the session reads the body out of it until the exchange
// has ended.
#pragma once

#include <memory>
#include <string_view>

#include "backends/entry.h"
#include "proxy/flow/flight.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_output.h"
#include "proxy/policy/select.h"

namespace weir::flow {

class Representation {
 public:
  Representation() = default;
  explicit Representation(backends::EntryRef entry) : entry_(std::move(entry)) {}
  // The reader outlives it.
  Representation(FlightReader& reader, std::shared_ptr<const FlightHead> head)
      : reader_(&reader), head_(std::move(head)) {}

  int status() const { return entry_ ? entry_->status() : head_->response.status; }
  std::string_view location() const {
    return entry_ ? entry_->field(http::FieldId::Location).value_or("")
                  : head_->response.fields.value(http::FieldId::Location);
  }
  // What the store holds of it; null: it is a flight's.
  const backends::EntryRef& entry() const { return entry_; }
  // Of an entry: what a client's conditions are held against. Its Date only if they are `by_date`:
  // it has to be searched for.
  policy::Validators validators(bool by_date) const;
  // Of a flight: the head, as every reader sends it.
  const http::ResponseHead& flight_head() const { return head_->response; }

  // The head as a value of its own, to be changed for one client.
  http::ResponseHead copy_head() const;
  // Where the body comes from, from its beginning. `waker` is told, on its loop, when bytes have
  // come that had to be waited for.
  front::BodySource& open(const Waker& waker);

 private:
  backends::EntryRef entry_;
  front::EntryBody entry_body_;
  FlightReader* reader_ = nullptr;
  std::shared_ptr<const FlightHead> head_;
};

}  // namespace weir::flow
