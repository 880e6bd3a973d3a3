// Many clients at once. For the tests of shared fetches.
#pragma once

#include <vector>

#include "tests/e2e/fixture.h"

namespace weir::test {

class Crowd : public E2e {
 protected:
  std::vector<Client> crowd(int count) const {
    std::vector<Client> all;
    for (int i = 0; i < count; ++i) all.push_back(client());
    return all;
  }
  // Everyone asks; returns when Weir has taken every request.
  void all_ask(std::vector<Client>& all, std::string_view target, const Fields& fields = {}) {
    for (Client& one : all) one.send(Client::message("GET", target, fields));
    await_all_taken();
  }
};

}  // namespace weir::test
