#include "base/life.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir {
namespace {

struct Owner {
  Life<Owner> life{*this};
};

TEST(Life, AWeakPointerLeadsToItsObjectWhileThatLives) {
  std::optional<Owner> owner(std::in_place);
  const Weak<Owner> weak = owner->life.watch();
  const Weak<Owner> copy = weak;
  EXPECT_EQ(weak.get(), &*owner);
  owner.reset();
  EXPECT_FALSE(weak);
  EXPECT_EQ(copy.get(), nullptr);
}

TEST(Life, WhatWasHandedOutBeforeAnEndStaysNull) {
  Owner owner;
  const Weak<Owner> first = owner.life.watch();
  owner.life.end();
  const Weak<Owner> second = owner.life.watch();
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), &owner);
}

TEST(Life, AnEmptyWeakPointerIsNull) {
  EXPECT_FALSE(Weak<Owner>());
}

}  // namespace
}  // namespace weir
