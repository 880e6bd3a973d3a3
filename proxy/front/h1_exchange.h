// What an HTTP/1.1 session needs only while a request is being served; pooled by its factory, so
// that an idle connection is small and a busy one allocates nothing. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/http/h1_writer.h"
#include "base/http/message.h"
#include "proxy/front/h1_output.h"
#include "proxy/front/h1_request_body.h"

namespace weir::front {

struct H1Exchange {
  http::RequestHead head;
  std::string head_bytes;  // the head's own copy, once kept
  bool head_kept = false;
  H1RequestBody body;
  H1Output output;
  EntryBody entry_body;
  LogNotes notes;
  Handler* handler = nullptr;
  std::int64_t started_us = 0;  // for the log
  int status = 0;               // sent; 0: none yet
  bool close_after = false;     // the connection ends with this response
  bool reset_at_cut = false;    // its end is the body's end, so a cut must be a reset
  bool endless = false;         // the response is an event stream
  bool responding = false;
  bool continue_sent = false;
  bool body_wanted = false;  // read_body said Pending
  bool tunnel = false;
  bool done = false;  // the response was sent or cut

  void reset();
};

class H1ExchangePool {
 public:
  std::unique_ptr<H1Exchange> take();
  // Its handler must have gone back before it.
  void give(std::unique_ptr<H1Exchange> exchange);

 private:
  static constexpr std::size_t kPooled = 256;
  std::vector<std::unique_ptr<H1Exchange>> idle_;
};

// The bytes of a head that Weir writes itself. Pure; append to `out`.
struct HeadOptions {
  bool close = false;
  bool keep_alive = false;  // say so (HTTP/1.0 clients need to hear it)
};
void append_fresh_fields(std::string& out, const FreshFields& fresh, const HeadOptions& options);

}  // namespace weir::front
