weir_test(upstream_test
  SOURCES
    upstream_answer_test.cc
    upstream_client.cc
    upstream_drop_test.cc
    upstream_fetch_test.cc
    upstream_flow_test.cc
    upstream_garbage_test.cc
    upstream_name_test.cc
    upstream_origin.cc
    upstream_pool_test.cc
    upstream_request_head_test.cc
    upstream_retry_test.cc
    upstream_reuse_test.cc
    upstream_timeout_test.cc
    upstream_tls_test.cc
    upstream_tunnel_test.cc
  LIBS weir_upstream ssl crypto)
