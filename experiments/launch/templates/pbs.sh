#!/bin/bash
# submit: qsub @script@
#PBS -N @name@
#PBS -q @partition@
#PBS -l walltime=@time@
#PBS -l select=1:ncpus=@cores@
#PBS -J 0-@last_task@
#PBS @directive@
#PBS -r y
#PBS -j oe
#PBS -o @logs@/

# PBS Professional. Before the time limit it sends SIGTERM, if the site says so (kill_delay): bitlaw then saves its
# runs, gives them back and ends with 130.
exec @command@
