// What leads from a client to the fetch made for it: its request's body, the bytes of its tunnel,
// and back to it the app's 1xx. Client and fetch end at different times; the pipe outlives both and
// knows which of them is still there. One loop.
#pragma once

#include <string>

#include "base/ref_counted.h"
#include "proxy/front/exchange.h"
#include "proxy/upstream/fetcher.h"

namespace weir::flow {

class ClientPipe final : public RefCounted<ClientPipe>, public upstream::RequestBody {
 public:
  explicit ClientPipe(front::Exchange& exchange)
      : exchange_(&exchange), has_body_(exchange.request().framing != http::Framing::None) {}

  // ---- the fetch's side ----
  void set_fetch(upstream::Fetch& fetch) { fetch_ = &fetch; }
  // Before the fetch goes, and its tunnel with it: nobody reads the request's body any more.
  void fetch_ended();
  Read read(char* buffer, std::size_t capacity) override;
  bool gathered() override { return !exchange_ || exchange_->body_gathered(); }
  void informational(const http::ResponseHead& head);
  bool fetch_waits_for_place() const { return fetch_ && fetch_->waiting(); }

  // ---- the client's side ----
  void client_gone();
  void client_has_bytes();
  // The app's 101 is here: from now on bytes flow raw.
  void open_tunnel();

 private:
  void pump();

  front::Exchange* exchange_;
  const bool has_body_;
  upstream::Fetch* fetch_ = nullptr;
  upstream::Tunnel* tunnel_ = nullptr;  // the fetch's, once it is open
  bool shut_ = false;                   // the client's end was passed on
  std::string pending_;                 // read from the client, not yet taken by the app
};

}  // namespace weir::flow
