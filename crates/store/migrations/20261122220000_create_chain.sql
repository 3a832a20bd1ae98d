create schema chain;
