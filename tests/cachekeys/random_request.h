// Random requests made of few pieces, so that many of them are the same page, and beside each a
// model of what should name it: made piece by piece from tables, with none of the code under test.
#pragma once

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cachekeys/recipe.h"

namespace weir::keys {

using Lines = std::map<std::string, std::vector<std::string>>;  // name → values in order

// What the key of a request must hold, in the plainest form.
struct KeyModel {
  std::string host;
  std::string path;
  Lines parameters;          // by family of names
  bool empty_query = false;  // a '?' without any parameter behind it
  std::string signed_query;  // byte for byte, instead of `parameters`
  std::string language;
  std::string accept;
  Lines headers;
  Lines cookies;
  auto operator<=>(const KeyModel&) const = default;
};

struct RandomRequest {
  std::string text;
  KeyModel model;
};

// The recipe that the models speak of.
Recipe random_request_recipe(bool sealed);
RandomRequest random_request(std::mt19937& random);

}  // namespace weir::keys
