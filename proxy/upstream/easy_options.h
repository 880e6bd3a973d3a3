// How an easy handle is set up: what never changes in its life, and where it goes. It makes a
// connection and nothing else; hardening: no proxy, redirect or credential of curl's own.
#pragma once

#include <curl/curl.h>

#include "conf/config.h"

namespace weir::upstream {

// Everything that holds for each connection to this app.
void set_fixed_options(CURL* easy, const conf::Upstream& config);

// For one connection. libcurl shares the time among the addresses of a name; ending the whole in
// time is the caller's business.
void set_connect_timeout(CURL* easy, const conf::Upstream& config);
// For a look-up that somebody may still wait for: as long as the resolver takes.
void clear_connect_timeout(CURL* easy);

// "http://host:port/". Requests' own targets never come near it.
void set_address(CURL* easy, const conf::UpstreamUrl& url);

}  // namespace weir::upstream
