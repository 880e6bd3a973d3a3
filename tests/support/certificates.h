// An authority of the test's own and what it signs, as PEM files in a folder of theirs. Two of them
// know nothing of each other. One thread.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace weir::test {

// Whom a certificate is for, unless a test says otherwise.
inline constexpr const char* kThisHost = "DNS:localhost, IP:127.0.0.1";

class Certificates {
 public:
  Certificates();

  // What to trust.
  std::string ca_file() const { return folder_.file("ca.crt"); }

  struct Pair {
    std::string cert_file;
    std::string key_file;
  };
  // Those of one `file_name` replace each other. `names` are OpenSSL's, as in kThisHost.
  Pair issue(const std::string& file_name, const std::string& names = kThisHost) const;
  Pair issue_expired(const std::string& file_name) const;
  // Signed by nobody but itself.
  Pair self_signed(const std::string& file_name) const;

 private:
  Pair make(const std::string& file_name, const std::string& names, const std::string& how) const;
  void openssl(const std::string& arguments) const;

  TempDir folder_;
};

}  // namespace weir::test
