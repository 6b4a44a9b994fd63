#pragma once

#include <string>

namespace bitlaw {

/// What made a result: stored as attributes in every file that we write.
struct BuildInfo {
  std::string version;   ///< of the program, e.g. "0.1.0"
  std::string commit;    ///< git describe of the sources
  std::string compiler;  ///< e.g. "g++ 12.2.0"
  std::string host;      ///< name of this machine
  std::string cpu;       ///< model name and the instruction set that the kernels run on
};
BuildInfo build_info();

/// What a time was measured on, and can be compared with: the processor and the threads that share the work.
std::string timed_on(int threads);

}  // namespace bitlaw
