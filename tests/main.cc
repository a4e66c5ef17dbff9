// The main function of every test program.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/support/failures.h"

int main(int argc, char** argv) {
  // Between calls nobody looks after a client's connection but gRPC's backup
  // poller. At its 5 s a test would wait that long to see that a service it
  // killed is back.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 1);
  // What it says of connections that break is what the tests are about.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  return Catch::Session().run(argc, argv) +
         mtp::tests::tests_that_broke_invariants;
}
