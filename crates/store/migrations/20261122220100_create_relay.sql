create schema relay;
