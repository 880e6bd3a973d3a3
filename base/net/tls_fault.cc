#include "base/net/tls_fault.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace weir {
namespace {

std::string certificate_fault(long verdict, const std::string& name) {
  const char* const reason = X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("its certificate is for another name than {}", name);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("its certificate is not signed by a known authority ({})", reason);
    default:
      return fmt::format("its certificate is not valid ({})", reason);
  }
}

const char* words_of(int reason) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      return "it speaks no TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "it speaks no TLS 1.2 or later";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "it wants a client certificate";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return "it does not accept our client certificate";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return "it does not serve that name";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "it has cut the connection";
    // Where it wants a client certificate, TLS 1.2 says no more than this.
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "it refuses the handshake";
    default:
      return "TLS with it has failed";
  }
}

}  // namespace

std::string tls_reason() {
  const unsigned long error = ERR_peek_error();
  // The system's errors have no words of OpenSSL's own.
  const char* const reason = ERR_reason_error_string(error);
  return reason ? reason : fmt::format("error {:#x}", error);
}

std::string tls_fault(const ssl_st* ssl, const std::string& name) {
  const unsigned long error = ERR_peek_error();
  const long verdict = SSL_get_verify_result(ssl);
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
    return certificate_fault(verdict, name);
  }
  return fmt::format("{} ({})", words_of(ERR_GET_REASON(error)), tls_reason());
}

bool tls_peer_told_why() {
  return ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
}

}  // namespace weir
