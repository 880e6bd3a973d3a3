weir_test(policy_test
  SOURCES policy_advice_test.cc policy_armor_test.cc policy_fields_test.cc policy_freshness_test.cc policy_invalidate_test.cc
          policy_lifetime_test.cc policy_request_test.cc policy_select_test.cc policy_storable_test.cc policy_unsaid_test.cc
          policy_words_test.cc
  LIBS weir_policy)
weir_test(route_test SOURCES router_test.cc LIBS weir_route)
