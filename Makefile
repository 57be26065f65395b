# The commands a person needs; each says what it does in `make help`.

PREFIX ?= /usr/local
SWIFT ?= swift
SECONDS ?= 60
KILLS ?= 200
SHARED ?= ../shared
SWIFT_FILES := Sources Tests Package.swift Fuzzing/Sources Fuzzing/Package.swift
RELEASE := -c release --static-swift-stdlib
TRAINING_VENV := .build/training-venv
PEERS_VENV := .build/peers-venv
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BINARY = $(shell $(SWIFT) build $(RELEASE) --show-bin-path)/vsr

.PHONY: help build demo test test-training compare bench-papers bench-peers bench-still race sanitize sanitize-threads clips contract fuzz torture pipes live soak faults kills install lint format docs deps

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 18

deps: ## Install the Debian packages that are missing
	@Scripts/install-packages

build: deps ## Build the program in release mode
	$(SWIFT) build $(RELEASE) --product vsr

demo: build ## Upscale the sample clip and say where the result is
	@mkdir -p demo
	@"$(BINARY)" Samples/nasa.mp4 demo/nasa-x4.mp4 --overwrite
	@echo "The result is demo/nasa-x4.mp4, made from Samples/nasa.mp4"

test: deps ## Build and run every test in release mode
	$(SWIFT) test -c release

test-training: $(TRAINING_VENV)/installed ## Run the tests of Training in Python
	cd Training && ../$(TRAINING_VENV)/bin/python -m pytest -q -rs

compare: build $(TRAINING_VENV)/installed ## Compare networks of full size with PyTorch
	$(TRAINING_VENV)/bin/python Scripts/compare-with-pytorch "$(BINARY)"

bench-papers: build $(TRAINING_VENV)/installed ## Measure the papers' networks against PyTorch
	$(TRAINING_VENV)/bin/python Benchmarks/papers.py "$(BINARY)"

bench-peers: build $(PEERS_VENV)/installed ## Measure Real-ESRGAN's compact networks against other libraries
	PYTHONPATH=Benchmarks $(PEERS_VENV)/bin/python -m peers "$(BINARY)" "$(SHARED)/peers/ncnn" Samples/nasa.mp4 \
	  Benchmarks/Results/peers-$$(date +%F) $$(ls "$(SHARED)"/data/train/free_*/* | awk 'NR % 39 == 0')

bench-still: build ## Measure clips of which little changes against one that moves
	python3 Benchmarks/still.py "$(BINARY)" Samples/nasa.mp4 --frames 1000

$(TRAINING_VENV)/installed: Training/requirements.txt
$(PEERS_VENV)/installed: Benchmarks/requirements.txt

# Torch first and without CUDA: the plain wheel of the package index brings gigabytes of it.
.build/%-venv/installed:
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install -q --no-deps --retries 1 --index-url $(TORCH_INDEX) "$$(grep '^torch==' $<)"
	$(@D)/bin/pip install -q -r $<
	touch $@

race: deps ## Run the tests of queues, stages and workers under the thread sanitizer
	$(SWIFT) test --sanitize=thread --scratch-path .build/race --filter 'QueueTests|QueueState|[.]RunTests|EarlyEndTests|PartTests|PictureFileTests|OrientationTests|UpscalerTests|ReuseTests|WorkTests|LoadControlTests'

# Left out are tests that measure memory: the sanitizer holds on to what was freed.
MEASURE_MEMORY := memoryDoesNotGrow|memoryGrowsBy|staysWithinItsMemory|takesTheMemoryOfItsEstimate

# XCTest, which has no tests here, leaks.
sanitize: deps ## Run all tests but those of memory use under the address sanitizer
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0 $(SWIFT) test -c release \
	  --sanitize=address --scratch-path .build/sanitize --disable-xctest --skip '$(MEASURE_MEMORY)'

# Workers are not waited for where a signal ends the program. The sanitizer has files of its own, larger than the limit.
sanitize-threads: deps ## Run all tests but those of memory use under the thread sanitizer
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/races.supp:report_thread_leaks=0 $(SWIFT) test -c release \
	  --sanitize=thread --scratch-path .build/sanitize-threads --disable-xctest \
	  --skip '$(MEASURE_MEMORY)|aLimitOnTheSizeOfFiles'

clips: deps ## Upscale ten real clips to their ends and compare all that must not change
	VSR_WHOLE_CLIPS=1 $(SWIFT) test -c release --filter RealClipTests

contract: deps ## Send every real clip through the program and write the table in Docs/media-contract.md
	VSR_WRITE_CONTRACT=1 $(SWIFT) test -c release --filter ContractTests

fuzz: deps ## Feed changed files to every parser of models, SECONDS=60 each; a crash is an error
	@Scripts/fuzz $(SECONDS)

torture: build ## Run the program on 555 hard or hostile inputs; SHARED/torture makes them
	@Scripts/torture "$(BINARY)" "$(SHARED)/torture"

pipes: build ## Run live streams between pipes that are slow, silent, closed or hostile; some minutes
	@Scripts/pipes "$(BINARY)" "$(SHARED)/torture"

live: build ## Feed live streams in real time for SECONDS and say how they keep up
	@Scripts/live-show "$(BINARY)" $(SECONDS)

soak: build ## Feed a live stream with jumps and changes for SECONDS; growth is an error
	@Scripts/soak "$(BINARY)" $(SECONDS)

faults: build ## Run the program 1,000 times, each time with another system call that fails
	@Scripts/faults "$(BINARY)"

kills: build ## Kill and interrupt the program at random moments, KILLS=200 times each; continue it
	@Scripts/kill-loop "$(BINARY)" $(KILLS)

install: build ## Install the program under PREFIX
	install -D -s -m 755 "$(BINARY)" "$(DESTDIR)$(PREFIX)/bin/vsr"

lint: deps ## Check format and style of Swift and C
	$(SWIFT) format lint --strict --recursive $(SWIFT_FILES)
	clang-format --dry-run --Werror Sources/*/*.c Sources/*/*.h Sources/*/include/*.h

format: ## Put Swift and C into the project's format
	$(SWIFT) format --in-place --recursive $(SWIFT_FILES)
	clang-format -i Sources/*/*.c Sources/*/*.h Sources/*/include/*.h

docs: deps ## Build Engine's documentation; a broken link is an error
	$(SWIFT) package --allow-writing-to-directory .build/docs generate-documentation \
	  --target Engine --warnings-as-errors --output-path .build/docs
