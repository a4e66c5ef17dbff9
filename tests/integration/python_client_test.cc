#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "common/rpc/token.h"
#include "nlohmann/json.hpp"
#include "tests/support/agreement.h"
#include "tests/support/process.h"
#include "tests/support/stack.h"

namespace mtp::tests {
namespace {

namespace fs = std::filesystem;

// Makes Python of the whole contract, as any client's builder would.
std::string MakeStubs() {
  const std::string protos = MTP_SOURCE_DIR "/proto";
  const std::string stubs = MTP_BINARY_DIR "/../test-python";
  fs::remove_all(stubs);
  fs::create_directories(stubs);
  std::vector<std::string> command = {
      "protoc",
      "-I",
      protos,
      "--python_out=" + stubs,
      "--grpc_python_out=" + stubs,
      "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin"};
  for (const auto& entry : fs::recursive_directory_iterator(protos)) {
    if (entry.path().extension() == ".proto") command.push_back(entry.path());
  }
  RunOrFail(command);
  return fs::canonical(stubs);
}

TEST_CASE("a client generated in Python makes the nine steps over TLS") {
  Stack& stack = Stack::Shared();
  nlohmann::json tokens;
  for (const Role role : AllRoles()) {
    tokens[rpc::RoleName(role)] = Identities::Shared().Token(role);
  }
  const std::string tokens_file =
      Identities::Shared().folder() + "/tokens_by_role.json";
  std::ofstream(tokens_file) << tokens;

  const Outcome outcome = Run(
      {"/usr/bin/python3",
       MTP_SOURCE_DIR "/tests/integration/python/nine_steps.py", MakeStubs(),
       stack.Address(SIDE_ORDER), stack.Address(SIDE_PROCESSING),
       stack.certificate_authority(), tokens_file});
  INFO(outcome.output);
  CHECK(outcome.exit_code == 0);
  for (const char* step :
       {"1. ", "2. ", "3. ", "4. ", "5. ", "6. ", "7. ", "8. ", "9. "}) {
    CHECK(outcome.output.find(step) != std::string::npos);
  }
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
