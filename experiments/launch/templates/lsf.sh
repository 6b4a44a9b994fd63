#!/bin/bash
# submit: bash @script@ submit
#BSUB -J @name@[1-@tasks@]%@limit@
#BSUB -q @partition@
#BSUB -W @time@
#BSUB -n @cores@
#BSUB -R span[hosts=1]
#BSUB @directive@
#BSUB -r
#BSUB -wa TERM -wt 1
#BSUB -Q 130
#BSUB -o @logs@/%J.%I.out

# LSF. A minute before the time limit (-W 1:00 is an hour) it sends SIGTERM: bitlaw then saves its runs, gives them back
# and ends with 130, with which LSF queues the task again. bsub reads its script from a file only as standard input.
if [ "${1:-}" = submit ]; then
  exec bsub <"$0"
fi
exec @command@
