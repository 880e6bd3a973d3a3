// What OpenSSL says when something fails, in words for a person.
#pragma once

#include <string>

struct ssl_st;

namespace weir {

// The words of the oldest error that OpenSSL holds for this thread.
std::string tls_reason();

// Why a call on `ssl`, a connection to the server `name`, has failed, by the error that OpenSSL
// holds for this thread. Begins with "it", the server, or what is its.
std::string tls_fault(const ssl_st* ssl, const std::string& name);

// Whether the oldest error that OpenSSL holds is one that the peer has told of.
bool tls_peer_told_why();

}  // namespace weir
