# BPF objects and their skeletons.
#
#   exa_bpf_object(tls)    bpf/tls.bpf.c -> tls.skel.h, in target exa_skeletons
#
# Only agent/kernel links exa_skeletons. A missing or too old tool stops the configuration: an agent
# without its programs is no agent (-DEXA_BUILD_BPF=OFF builds the rooms that need no kernel).
set(EXA_CLANG_MINIMUM 14)
set(EXA_BPFTOOL_MINIMUM 7.0)

find_program(EXA_BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14
             DOC "clang that compiles the BPF programs")
if(NOT EXA_BPF_CLANG)
  message(FATAL_ERROR "clang was not found; it compiles the BPF programs. "
                      "Install version ${EXA_CLANG_MINIMUM} or newer: apt-get install clang")
endif()
execute_process(COMMAND ${EXA_BPF_CLANG} --version OUTPUT_VARIABLE exa_clang_text
                RESULT_VARIABLE exa_clang_status)
string(REGEX MATCH "clang version ([0-9.]+)" _ "${exa_clang_text}")
if(exa_clang_status OR NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 VERSION_LESS EXA_CLANG_MINIMUM)
  message(FATAL_ERROR "${EXA_BPF_CLANG} is version '${CMAKE_MATCH_1}'; the BPF programs need clang "
                      "${EXA_CLANG_MINIMUM} or newer. Install it, or name one: -DEXA_BPF_CLANG=PATH")
endif()

find_program(EXA_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin
             DOC "bpftool that generates the skeletons")
if(NOT EXA_BPFTOOL)
  message(FATAL_ERROR "bpftool was not found; it generates the skeletons of the BPF programs. "
                      "Install ${EXA_BPFTOOL_MINIMUM} or newer: apt-get install bpftool")
endif()
execute_process(COMMAND ${EXA_BPFTOOL} version OUTPUT_VARIABLE exa_bpftool_text
                RESULT_VARIABLE exa_bpftool_status ERROR_QUIET)
string(REGEX MATCH "bpftool v([0-9.]+)" _ "${exa_bpftool_text}")
if(exa_bpftool_status OR NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 VERSION_LESS EXA_BPFTOOL_MINIMUM)
  message(FATAL_ERROR "${EXA_BPFTOOL} is version '${CMAKE_MATCH_1}'; the skeletons need bpftool "
                      "${EXA_BPFTOOL_MINIMUM} or newer. Install it, or name one: -DEXA_BPFTOOL=PATH")
endif()

find_path(EXA_LIBBPF_INCLUDE bpf/bpf_helpers.h)
find_library(EXA_LIBBPF NAMES bpf)
if(NOT EXA_LIBBPF_INCLUDE OR NOT EXA_LIBBPF)
  message(FATAL_ERROR "libbpf was not found. Install it: apt-get install libbpf-dev")
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(EXA_BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(EXA_BPF_ARCH arm64)
else()
  message(FATAL_ERROR "the BPF programs know the registers of x86-64 and arm64, "
                      "not of ${CMAKE_SYSTEM_PROCESSOR}; add them to bpf/lib/registers.bpf.h")
endif()

set(EXA_SKELETON_DIR ${PROJECT_BINARY_DIR}/skeletons)
file(MAKE_DIRECTORY ${EXA_SKELETON_DIR})
add_library(exa_skeletons INTERFACE)
target_include_directories(exa_skeletons SYSTEM INTERFACE ${EXA_SKELETON_DIR})

function(exa_bpf_object name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(compiled ${EXA_SKELETON_DIR}/${name}.compiled.o)
  set(object ${EXA_SKELETON_DIR}/${name}.o)
  set(skeleton ${EXA_SKELETON_DIR}/${name}.skel.h)
  add_custom_command(
    OUTPUT ${compiled}
    COMMAND ${EXA_BPF_CLANG} -target bpf -mcpu=v3 -D__TARGET_ARCH_${EXA_BPF_ARCH} -std=gnu11
            -O2 -g -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -Wpadded -Werror -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
            -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/include -isystem ${EXA_LIBBPF_INCLUDE}
            -MD -MF ${compiled}.d -MT ${compiled} -c ${source} -o ${compiled}
    DEPENDS ${source}
    DEPFILE ${compiled}.d
    COMMENT "BPF ${name}.bpf.c" VERBATIM)
  # Relinking drops DWARF and keeps BTF, so the agent carries no source paths.
  add_custom_command(
    OUTPUT ${skeleton}
    BYPRODUCTS ${object}
    COMMAND ${EXA_BPFTOOL} gen object ${object} ${compiled}
    COMMAND ${EXA_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${compiled}
    COMMENT "Skeleton ${name}.skel.h" VERBATIM)
  add_custom_target(exa_skeleton_${name} DEPENDS ${skeleton})
  add_dependencies(exa_skeletons exa_skeleton_${name})
endfunction()
