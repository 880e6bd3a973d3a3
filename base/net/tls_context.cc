// The files that a TlsContext is made of.
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/net/listener.h"
#include "base/net/tls.h"
#include "base/net/tls_fault.h"

namespace weir {
namespace {

// OpenSSL's own words for a file that is not there are none for people.
Result<void> check_readable(const std::string& file) {
  struct stat about{};
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fstat(fd.get(), &about) != 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::NotFound : ErrorCode::System;
    return fail(code, fmt::format("cannot read {}: {}", file, std::strerror(errno)));
  }
  if (S_ISDIR(about.st_mode)) {
    return fail(ErrorCode::Invalid, fmt::format("cannot read {}: it is a folder", file));
  }
  return {};
}

std::unexpected<Error> wrong_content(const std::string& file, const char* what) {
  return fail(ErrorCode::Invalid, fmt::format("{} {} ({})", file, what, tls_reason()));
}

Result<void> trust(SSL_CTX* context, const std::string& file) {
  ERR_clear_error();
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return fail(ErrorCode::System, fmt::format("the system's certificate authorities cannot be "
                                               "read ({})",
                                               tls_reason()));
  }
  if (const Result<void> readable = check_readable(file); !readable) return readable;
  if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) == 1) return {};
  return wrong_content(file, "holds no certificate");
}

// Asked for the passphrase of a key; OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<void> load_key(SSL_CTX* context, const std::string& file) {
  if (const Result<void> readable = check_readable(file); !readable) return readable;
  ERR_clear_error();
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (loaded) return {};
  return wrong_content(file, asked ? "holds a key with a passphrase" : "holds no private key");
}

Result<void> load_certificate(SSL_CTX* context, const std::string& file) {
  if (const Result<void> readable = check_readable(file); !readable) return readable;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) == 1) return {};
  return wrong_content(file, "holds no certificate");
}

Result<void> show_certificate(SSL_CTX* context, const TlsTerms& terms) {
  if (terms.cert_file.empty() && terms.key_file.empty()) return {};
  if (terms.key_file.empty()) {
    return fail(ErrorCode::Invalid, fmt::format("{} is of no use without its key's file",  //
                                                terms.cert_file));
  }
  if (terms.cert_file.empty()) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is of no use without its certificate's file", terms.key_file));
  }
  // The key first: a certificate that does not belong to it is taken all the same, and told below.
  if (const Result<void> loaded = load_key(context, terms.key_file); !loaded) return loaded;
  if (const Result<void> loaded = load_certificate(context, terms.cert_file); !loaded) {
    return loaded;
  }
  if (SSL_CTX_check_private_key(context) == 1) return {};
  return fail(ErrorCode::Invalid, fmt::format("the key in {} does not belong to the certificate "
                                              "in {}",
                                              terms.key_file, terms.cert_file));
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsTerms& terms) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (!context) return fail(ErrorCode::System, "cannot set up TLS: " + tls_reason());
  std::shared_ptr<const TlsContext> made(new TlsContext(context));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);  // a cut stream is no whole one
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // a record's head and its body with one system call
  if (const Result<void> done = trust(context, terms.ca_file); !done) {
    return std::unexpected(done.error());
  }
  if (const Result<void> done = show_certificate(context, terms); !done) {
    return std::unexpected(done.error());
  }
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

}  // namespace weir
