// How an easy handle is set up: what never changes in its life, where it goes, what it sends.
// hardening: no field, cookie, redirect, proxy, decoding or credential of curl's own.
#pragma once

#include <curl/curl.h>

#include <string>

#include "conf/config.h"

namespace weir::upstream {

inline void set_option(CURL* easy, CURLoption option, long value) {
  curl_easy_setopt(easy, option, value);
}

// Everything that holds for each request to this app.
void set_fixed_options(CURL* easy, const conf::Upstream& config);

// "http://host:port/". The request's own target goes elsewhere: a URL is never made from outside.
void set_address(CURL* easy, const conf::UpstreamUrl& url);

}  // namespace weir::upstream
