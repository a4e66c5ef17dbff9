#include <cstdlib>
#include <iostream>

#include "cli/failures.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  // What gRPC says of a broken connection, the failure's text says better.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  mtp::cli::Session session(std::cout, std::cerr);
  const auto program = mtp::cli::MakeProgram(session);
  try {
    program->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program->exit(error) == 0 ? mtp::cli::kDone : mtp::cli::kUsage;
  }
  return session.Run();
}
