#include "tests/support/certificates.h"

#include <iterator>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/support/child_process.h"

namespace weir::test {
namespace {

const std::string kNewKey =
    " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf ";
const std::string kSignedByCa = " -CA ca.crt -CAkey ca.key -set_serial 2";

}  // namespace

Certificates::Certificates() {
  folder_.write("openssl.cnf",
                "[req]\ndistinguished_name = name\n[name]\n"
                "[ca]\nbasicConstraints = critical, CA:true\nkeyUsage = keyCertSign\n");
  openssl("req -x509 -days 2 -extensions ca -subj /CN=ca -keyout ca.key -out ca.crt" + kNewKey);
}

Certificates::Pair Certificates::issue(const std::string& file_name,
                                       const std::string& names) const {
  return make(file_name, names, "-days 2" + kSignedByCa);
}

Certificates::Pair Certificates::issue_expired(const std::string& file_name) const {
  return make(file_name, kThisHost, "-days -1" + kSignedByCa);
}

Certificates::Pair Certificates::self_signed(const std::string& file_name) const {
  return make(file_name, kThisHost, "-days 2 -signkey " + file_name + ".key");
}

Certificates::Pair Certificates::make(const std::string& file_name, const std::string& names,
                                      const std::string& how) const {
  folder_.write(file_name + ".ext",
                "basicConstraints = CA:false\nsubjectAltName = " + names + "\n");
  const Pair pair{folder_.file(file_name + ".crt"), folder_.file(file_name + ".key")};
  openssl("req -subj /CN=" + file_name + " -keyout " + pair.key_file + " -out " + file_name +
          ".csr" + kNewKey);
  openssl("x509 -req -in " + file_name + ".csr -out " + pair.cert_file + " -extfile " + file_name +
          ".ext " + how);
  return pair;
}

// In the folder; behind env, which looks the program up in PATH and becomes it.
void Certificates::openssl(const std::string& arguments) const {
  std::istringstream words("/usr/bin/env openssl " + arguments);
  Command command;
  command.arguments.assign(std::istream_iterator<std::string>(words), {});
  command.folder = folder_.path();
  ChildProcess process(command);
  if (process.wait() != 0) throw std::runtime_error("openssl: " + process.err().text());
}

}  // namespace weir::test
