-- What a run of an agent leaves for later runs of its attempt: the totals of its session as the agent
-- tells them, and the notices that need not be shown again. JSON; NULL if there is nothing.
ALTER TABLE executor_sessions ADD COLUMN carried TEXT;
