-- avenire: no-transaction

alter type mood add value if not exists 'happy';
